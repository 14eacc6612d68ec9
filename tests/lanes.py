"""Lanes of the suite: `make test` runs files side by side, since most of them wait for processes more than they work.

A test marked `alone` shares the machine with no other lane: it measures, or what it looks at cannot be had beside neighbours.
It waits until every lane has ended the test it is at, and the lanes wait for it. What is waited counts towards no time-out.

The last lane is the patient one: it has unit tests only and gives way to everybody, so that it works on what a test leaves
idle that is `alone(but="patient")`.
"""

import fcntl
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

UNIT = "tests/unit/"
_GIVES_WAY_BY = 10


def lanes_of_this_machine() -> int:
    """Return how many tests run side by side: two more than there are processors, because they wait, at most eight; and the patient one."""
    return min(len(os.sched_getaffinity(0)) + 2, 8) + 1


def patient_of(lanes: int) -> str | None:
    """Return the patient one of `gw0`, `gw1` and so on; None of fewer than `make test` has, which are somebody's own choice."""
    return f"gw{lanes - 1}" if lanes > 3 else None


def most_patient_first(items: list[pytest.Item]) -> None:
    """Put files first that have tests to be run alone, and these first in them, so that lanes wait for each other at the start only.

    Of these files, those with the fewest others come first: a lane that is through with one goes on with the next, and nobody
    begins what the others would have to wait for. Unit tests come last, to fill what is left of each lane.
    """
    alone = {file_of(item) for item in items if is_alone(item)}
    others = Counter(file_of(item) for item in items if file_of(item) in alone and not is_alone(item))
    files = {file: place for place, file in enumerate(dict.fromkeys(file_of(item) for item in items))}

    def place_of(item: pytest.Item) -> tuple[bool, bool, int, int, bool]:
        file = file_of(item)
        return file not in alone, item.nodeid.startswith(UNIT), others[file], files[file], not is_alone(item)

    items.sort(key=place_of)


def is_alone(item: pytest.Item) -> bool:
    """Return whether a test must have the machine to itself."""
    return item.get_closest_marker("alone") is not None


def file_of(item: pytest.Item) -> str:
    """Return the address of a test's file."""
    return item.nodeid.partition("::")[0]


@contextmanager
def behind_the_first(path: Path) -> Iterator[None]:
    """Let whichever lane comes first to a file collect it alone, and the others behind it: they find it compiled.

    In a new checkout each lane would otherwise compile every file for itself, which takes longer than all else of collecting.
    """
    with path.open("rb") as file:  # closed, it is nobody's
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(file, fcntl.LOCK_SH)
        yield


class ByFile(LoadFileScheduling):  # type: ignore[misc]
    """A file stays in one lane with what it has started, and so do all container tests, which share one stack."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/container" if nodeid.startswith("tests/container/") else super()._split_scope(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Give a lane the next file; the patient lane the next of unit tests, and its leave where there is none."""
        if node.gateway.id == patient_of(self.numnodes):
            file = next((scope for scope in self.workqueue if scope.startswith(UNIT)), None)
            if file is None:
                node.shutdown()
                return
            self.workqueue.move_to_end(file, last=False)
        super()._assign_work_unit(node)


class Turnstile:
    """One room for all lanes, which hold it together, or one of them alone; and one door, so that nobody waits for ever.

    A file or directory serves as either lock: nothing is written, and the kernel gives them back for a lane that dies.
    """

    def __init__(self, door: Path, room: Path) -> None:
        self._door, self._room = (os.open(place, os.O_RDONLY) for place in (door, room))  # for as long as the lane lives

    @contextmanager
    def through(self, *, alone: bool) -> Iterator[None]:
        """Be in the room: with others, or alone."""
        fcntl.flock(self._door, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        finally:
            fcntl.flock(self._door, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self._room, fcntl.LOCK_UN)


class Lane:
    """One lane of the suite, as each of its tests passes through it."""

    def __init__(self, name: str, lanes: int, tests: Path = Path(__file__).parent) -> None:
        self._patient = name == patient_of(lanes)
        self._all = Turnstile(tests / "lanes.py", tests / "conftest.py")
        self._annex = Turnstile(tests / "unit", tests)
        self._kept: ExitStack | None = None  # the place of one that is alone, until its next test
        if self._patient:
            os.nice(_GIVES_WAY_BY)

    @contextmanager
    def takes(self, item: pytest.Item, following: pytest.Item | None = None) -> Iterator[None]:
        """Wait until this test may run, and keep others out where it must be alone; also until the following, if that must be too."""
        mark = item.get_closest_marker("alone")
        with self._place(alone=mark is not None, again=following is not None and is_alone(following)), ExitStack() as held:
            if self._patient or (mark is not None and mark.kwargs.get("but") != "patient"):
                held.enter_context(self._annex.through(alone=mark is not None))
            yield

    @contextmanager
    def _place(self, *, alone: bool, again: bool) -> Iterator[None]:
        """Be where all lanes are but the patient one. again: whoever is alone stays so, and nobody comes in before its next test."""
        if self._patient:
            yield
            return
        held, self._kept = self._kept, None
        if held is None:
            held = ExitStack()
            held.enter_context(self._all.through(alone=alone))
        try:
            yield
        finally:
            if alone and again:
                self._kept = held
            else:
                held.close()
