"""Lanes of the suite: who comes first, who has what, and who waits for whom."""

import fcntl
import itertools
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lanes import ByFile, Lane, behind_the_first, most_patient_first, patient_of


def test_of(nodeid: str, **alone: str) -> Any:
    mark = SimpleNamespace(kwargs=alone) if alone else None
    return SimpleNamespace(nodeid=nodeid, get_closest_marker=lambda name: mark if name == "alone" else None)


test_of.__test__ = False  # type: ignore[attr-defined]


def test_files_with_tests_that_are_alone_come_first_and_these_first_in_them() -> None:
    names = [
        "tests/e2e/a.py::1",
        "tests/e2e/b.py::1",
        "tests/e2e/b.py::2",
        "tests/unit/c.py::1",
        "tests/z/d.py::1",
        "tests/z/d.py::2",
        "tests/z/e.py::1",
    ]
    alone = ("tests/e2e/b.py::2", "tests/z/d.py::1", "tests/z/e.py::1")
    items = [test_of(name, **({"but": ""} if name in alone else {})) for name in names]
    most_patient_first(items)
    assert [item.nodeid for item in items] == [names[6], names[2], names[1], names[4], names[5], names[0], names[3]]


class Node:
    def __init__(self, number: int) -> None:
        self.gateway = SimpleNamespace(id=f"gw{number}")
        self.shutting_down = False
        self.given: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        self.given += indices

    def shutdown(self) -> None:
        self.shutting_down = True


def shared_out(collection: list[str], lanes: int) -> tuple[list[list[str]], Node]:
    """What each lane is given, one file after another, and the last lane."""
    config = SimpleNamespace(getvalue=lambda _: ["popen"] * lanes, option=SimpleNamespace(loadscopereorder=False))
    scheduling = ByFile(config)
    nodes = [Node(number) for number in range(lanes)]
    for node in nodes:
        scheduling.add_node(node)
    for node in nodes:
        scheduling.add_node_collection(node, collection)
    scheduling.schedule()
    for turn in range(len(collection)):
        for node in nodes:
            if turn < len(node.given):
                scheduling.mark_test_complete(node, node.given[turn])
    return [[collection[index] for index in node.given] for node in nodes], nodes[-1]


def test_the_patient_lane_has_unit_tests_only_and_leaves_when_there_is_none() -> None:
    collection = [f"tests/{where}/test_{number}.py::test" for where in ("e2e", "unit") for number in range(9)]
    given, last = shared_out(collection, 5)
    assert given[-1]
    assert all(name.startswith("tests/unit/") for name in given[-1])
    assert sorted(itertools.chain(*given)) == sorted(collection)
    assert last.shutting_down
    given, last = shared_out(collection[:9], 5)
    assert (given[-1], last.shutting_down) == ([], True)
    assert sorted(itertools.chain(*given)) == sorted(collection[:9])


def test_two_or_three_lanes_of_somebody_s_own_choice_are_all_alike() -> None:
    assert [patient_of(lanes) for lanes in (1, 2, 3, 5)] == [None, None, None, "gw4"]
    collection = [f"tests/e2e/test_{number}.py::test" for number in range(4)]
    assert all(shared_out(collection, 2)[0])


@pytest.fixture
def _refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who would wait for a lock is refused."""
    lock = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", lambda file, kind: lock(file, kind if kind == fcntl.LOCK_UN else kind | fcntl.LOCK_NB))


@pytest.fixture
def lanes(_refused: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Lane], list[int]]:
    """Five lanes with rooms of their own, where who would wait is refused; and by how much a lane gave way."""
    for name in ("lanes.py", "conftest.py"):
        (tmp_path / name).touch()
    (tmp_path / "unit").mkdir()
    nice: list[int] = []
    monkeypatch.setattr(os, "nice", nice.append)
    return [Lane(f"gw{number}", 5, tmp_path) for number in range(5)], nice


@pytest.mark.parametrize(
    ("first", "others", "patient"),
    [({}, True, True), ({"but": "patient"}, False, True), ({"but": "nobody"}, False, False)],
    ids=["any", "alone but for the patient", "alone"],
)
def test_who_may_work_beside_a_test(
    lanes: tuple[list[Lane], list[int]], first: dict[str, str], others: bool, patient: bool
) -> None:
    one, two, *_, last = lanes[0]
    may = {}
    with one.takes(test_of("first", **first)):
        for name, lane in (("others", two), ("patient", last)):
            try:
                with lane.takes(test_of("second")):
                    may[name] = True
            except BlockingIOError:
                may[name] = False
    assert may == {"others": others, "patient": patient}
    with two.takes(test_of("second")), last.takes(test_of("third")):
        pass  # the room is free again
    assert len(lanes[1]) == 1
    assert lanes[1][0] > 0


def test_who_is_alone_waits_for_the_patient_lane_too(lanes: tuple[list[Lane], list[int]]) -> None:
    with lanes[0][-1].takes(test_of("patient")):
        with pytest.raises(BlockingIOError), lanes[0][0].takes(test_of("strict", but="nobody")):
            pass
        with lanes[0][0].takes(test_of("run", but="patient")):
            pass


@pytest.mark.usefixtures("_refused")
def test_the_first_at_a_file_collects_it_alone_and_the_others_wait_for_it(tmp_path: Path) -> None:
    one, two = tmp_path / "test_one.py", tmp_path / "test_two.py"
    one.touch()
    two.touch()
    with behind_the_first(one):
        with pytest.raises(BlockingIOError), behind_the_first(one):
            pass
        with behind_the_first(two):
            pass
    with behind_the_first(one):
        pass  # nobody's again


def test_who_is_alone_stays_so_between_two_tests_that_are(lanes: tuple[list[Lane], list[int]]) -> None:
    one, two, *_, last = lanes[0]
    first, second = test_of("first", but="patient"), test_of("second", but="nobody")
    with one.takes(first, second):
        pass
    with pytest.raises(BlockingIOError), two.takes(test_of("other")):
        pass
    with last.takes(test_of("patient")):
        pass
    with one.takes(second, test_of("third")):
        pass
    with two.takes(test_of("other")):
        pass  # nobody is alone any more
    with one.takes(test_of("third"), first):
        pass
    with two.takes(test_of("other")):
        pass  # not before it is
    with one.takes(first), pytest.raises(BlockingIOError), two.takes(test_of("other")):
        pass
