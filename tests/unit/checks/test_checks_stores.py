"""The database's connections, the search that fails, and how old a cached answer becomes: seen, broken, and not seen."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from probe_runs import OUTAGE, STEADY, A, Answering, check_of, judged
from run_builder import S, call_of, healthy_samples, refused, sample

from harness.checks import PLANNERS
from harness.model.fault import Fault
from harness.model.judgement import Judgement, Status
from harness.model.outcome import Refusal, Result, Source
from harness.model.plan import Phase, PhaseKind, PlannedCheck
from harness.model.sample import Sample

Told = Mapping[str, str | int | float | bool | None]


def fault_at(place: str, kind: str = "freeze", **parameters: int) -> Fault:
    return Fault(id="f1", at=place, kind=kind, phase="outage", apply_ns=12 * S, clear_ns=22 * S, parameters=parameters)


# -- connecting is given up ---------------------------------------------------------------------------------------------

CONNECT = check_of("connect limit", phase="outage")


def waiting(*took_s: float, result: Result | None = None) -> list[Sample]:
    """Return a load that is refused at once while the database is held, but for some who waited so long."""
    rows = [
        refused(row, Refusal.UNAVAILABLE, status=503) if 12.1 < row.intended_ns / S < 22 else row for row in healthy_samples(5)
    ]
    rows = [replace(row, ended_ns=row.intended_ns + S // 50) if row.result is Result.REFUSED else row for row in rows]
    for n, each in enumerate(took_s):
        slow = refused(sample(5000 + n, 14.0 + n, each), Refusal.UNAVAILABLE, status=503)
        rows.append(slow if result is None else replace(slow, result=result))
    return rows


def connecting(path: Path, rows: list[Sample], *, place: str = "processes.postgres") -> Judgement:
    return judged(path, CONNECT, lambda *_: A(), phase=OUTAGE, samples=rows, faults=(fault_at(place),))


def test_who_was_refused_after_two_seconds_had_given_up_connecting(tmp_path: Path) -> None:
    judgement = connecting(tmp_path, waiting(2.01, 2.03))
    assert (judgement.status, "2 of " in judgement.reason) == (Status.PASS, True), judgement.reason


@pytest.mark.parametrize("result", [None, Result.TIMEOUT])
def test_who_waits_much_longer_for_a_connection_fails_the_check(tmp_path: Path, result: Result | None) -> None:
    judgement = connecting(tmp_path, waiting(2.01, 7.5, result=result))
    assert (judgement.status, "waited longer than 2 s" in judgement.reason) == (Status.FAIL, True), judgement.reason


def test_without_anybody_who_waited_or_a_database_that_was_held_nothing_is_known(tmp_path: Path) -> None:
    assert connecting(tmp_path, waiting()).status is Status.INCONCLUSIVE
    assert connecting(tmp_path, waiting(0.5, 1.2)).status is Status.INCONCLUSIVE  # for a statement, for a reservation
    assert connecting(tmp_path, waiting(2.01), place="processes.redis").status is Status.INCONCLUSIVE


def test_who_began_so_late_that_the_database_came_back_is_not_counted(tmp_path: Path) -> None:
    late = refused(sample(6000, 20.5, 2.0), Refusal.UNAVAILABLE, status=503)
    assert connecting(tmp_path, [*waiting(), late]).status is Status.INCONCLUSIVE


# -- idle connections end -----------------------------------------------------------------------------------------------

WIDE = Phase(name="recovery", kind=PhaseKind.RECOVERY, start_ns=22 * S, end_ns=62 * S)
IDLE = check_of("idle connections", phase="recovery", at="500ms")
MANY: Told = {"instance_a": 20, "instance_b": 4, "idle_s_a": 2.5, "idle_s_b": 0.1}
FEW: Told = {"instance_a": 5, "instance_b": 4, "idle_s_a": 29.5, "idle_s_b": 3.0}


def lying(path: Path, *told: Told | None) -> Judgement:
    return judged(path, IDLE, lambda *_: A(), phase=WIDE, actions={f"count-{n}": each for n, each in enumerate(told)})


def test_connections_that_end_when_nobody_uses_them_pass(tmp_path: Path) -> None:
    judgement = lying(tmp_path, *[MANY] * 3, *[FEW] * 3)
    assert (judgement.status, "(a 20 to 5)" in judgement.reason, "29.5 s" in judgement.reason) == (Status.PASS, True, True)


def test_connections_that_were_opened_anew_later_hide_nothing(tmp_path: Path) -> None:
    assert lying(tmp_path, *[MANY] * 3, *[FEW] * 2, MANY).status is Status.PASS


def test_a_connection_that_lies_idle_for_long_fails_whenever_it_was_seen(tmp_path: Path) -> None:
    judgement = lying(tmp_path, *[MANY] * 3, {**MANY, "idle_s_b": 38.2}, None, FEW)
    assert (judgement.status, "one of b lay idle for 38.2 s" in judgement.reason) == (Status.FAIL, True), judgement.reason


def test_connections_that_nobody_counted_that_were_few_or_all_in_use_are_inconclusive(tmp_path: Path) -> None:
    assert lying(tmp_path, *[MANY] * 5, None).status is Status.INCONCLUSIVE
    assert lying(tmp_path, *[FEW] * 6).status is Status.INCONCLUSIVE
    assert lying(tmp_path, *[MANY] * 6).status is Status.INCONCLUSIVE
    assert lying(tmp_path, *[{"instance_a": 20}] * 3, *[{"instance_a": 3}] * 3).status is Status.INCONCLUSIVE
    assert judged(tmp_path, IDLE, None, phase=WIDE).status is Status.INCONCLUSIVE


# -- the search fails ---------------------------------------------------------------------------------------------------

SEARCH = check_of("without search", at="1s", without="10s", after="22s")
LOCK = fault_at("dependencies.postgres", "lock")


def searched(
    path: Path, wrong: Mapping[str, A] | None = None, *, unasked: str = "", fault: Fault = LOCK, put: bool = True
) -> Judgement:
    names = [probe.name for probe in PLANNERS[SEARCH.name].plan(SEARCH, STEADY).probes if probe.name != unasked]
    calls = [call_of(sample(900 + n, 3.0), request_id=f"probe-{name}-None-0") for n, name in enumerate(names)]
    answering: Answering = lambda probe, *_: (wrong or {}).get(  # noqa: E731
        probe.name, A(source=Source.CANNED if probe.name.startswith("without") else Source.PRIMARY)
    )
    return judged(path, SEARCH, answering, calls=calls, faults=(fault,), actions={"put-0": {} if put else None})


def test_questions_that_are_answered_and_marked_without_the_search_pass(tmp_path: Path) -> None:
    judgement = searched(tmp_path)
    assert (judgement.status, "4 questions" in judgement.reason) == (Status.PASS, True), judgement.reason


@pytest.mark.parametrize(("name", "answer", "told"), [
    ("without-1", A(source=Source.PRIMARY), "nothing says so"),
    ("without-2", A(status=503, refusal="unavailable"), "refused by unavailable"),
    ("without-0", A(source=Source.CANNED, took_s=5.5), "took 5.5 s"),
    ("after-3", A(source=Source.CANNED), "still answered without its documents"),
    ("after-3", A(status=500), "answered with 500"),
])  # fmt: skip
def test_an_answer_that_is_refused_late_or_unmarked_fails(tmp_path: Path, name: str, answer: A, told: str) -> None:
    judgement = searched(tmp_path, {name: answer})
    assert (judgement.status, told in judgement.reason) == (Status.FAIL, True), judgement.reason


def test_an_answer_that_was_kept_without_its_documents_fails(tmp_path: Path) -> None:
    judgement = searched(tmp_path, unasked="after-2")
    assert (judgement.status, "had been kept" in judgement.reason) == (Status.FAIL, True), judgement.reason


def test_a_search_that_never_worked_or_never_failed_is_inconclusive(tmp_path: Path) -> None:
    assert searched(tmp_path, {"before-0": A(source=Source.CANNED)}).status is Status.INCONCLUSIVE
    assert searched(tmp_path, fault=fault_at("links.postgres")).status is Status.INCONCLUSIVE
    assert searched(tmp_path, put=False).status is Status.INCONCLUSIVE
    assert judged(tmp_path, SEARCH, None, faults=(LOCK,)).status is Status.INCONCLUSIVE


# -- a cached answer is old after an hour -------------------------------------------------------------------------------

AGE = check_of("cache age", at="1s", young="5s", old="12s")
SKEWED = (
    fault_at("clocks.service-a", "clock_skew", offset=3660),
    replace(fault_at("clocks.service-b", "clock_skew", offset=3660), id="f2"),
)
ASKED = tuple(f"first-{level}-{age}-a" for level in ("memory", "shared") for age in ("young", "old"))
ANEW = ("memory-old-a", "shared-old-b")


def aged(path: Path, *asked: str, faults: tuple[Fault, ...] = SKEWED, check: PlannedCheck = AGE) -> Judgement:
    calls = [call_of(sample(900 + n, 3.0), request_id=f"probe-{name}-0") for n, name in enumerate(asked)]
    return judged(path, check, lambda *_: A(), calls=calls, faults=faults)


def test_an_answer_that_is_old_after_an_hour_at_both_levels_passes(tmp_path: Path) -> None:
    judgement = aged(tmp_path, *ASKED, *ANEW)
    assert (judgement.status, "3672 s" in judgement.reason) == (Status.PASS, True), judgement.reason


@pytest.mark.parametrize("missing", ANEW)
def test_an_answer_that_is_given_for_longer_than_an_hour_fails_at_either_level(tmp_path: Path, missing: str) -> None:
    judgement = aged(tmp_path, *ASKED, *(name for name in ANEW if name != missing))
    assert (judgement.status, missing.rpartition("-")[0] in judgement.reason) == (Status.FAIL, True), judgement.reason


def test_answers_that_were_not_kept_or_clocks_that_were_not_moved_are_inconclusive(tmp_path: Path) -> None:
    assert aged(tmp_path, *ASKED, *ANEW, "shared-young-b").status is Status.INCONCLUSIVE
    assert aged(tmp_path, *ANEW).status is Status.INCONCLUSIVE
    assert aged(tmp_path, *ASKED, *ANEW, faults=SKEWED[:1]).status is Status.INCONCLUSIVE
    moving = check_of("cache age", at="1s", young="5s", old="9s")  # asked while the clocks are being moved
    assert aged(tmp_path, *ASKED, *ANEW, check=moving).status is Status.INCONCLUSIVE
    assert judged(tmp_path, AGE, None).status is Status.INCONCLUSIVE


@pytest.mark.parametrize(("check", "told"), [
    (check_of("connect limit", slack="3s"), "less than `within`"),
    (check_of("idle connections", idle="0s"), "more than nought"),
    (check_of("idle connections"), "lasts 10 s only|which lasts 10 s"),
    (check_of("without search", without="1s"), "it takes 4s to ask before"),
    (check_of("without search", without="8s", after="9s"), "8s to ask without"),
    (check_of("cache age", young="20s", old="10s"), "the second more"),
    (check_of("cache age", other="a"), "are both 'a'"),
])  # fmt: skip
def test_settings_that_cannot_be_planned_are_told(check: PlannedCheck, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        PLANNERS[check.name].plan(check, STEADY)
