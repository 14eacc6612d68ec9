"""Spend, recovery, validity, and what they make of a run together."""

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from run_builder import (
    FAULT_STEPS,
    PHASES,
    WARN,
    RunBuilder,
    S,
    calm_lines,
    error_rate,
    failed,
    fallback,
    healthy_samples,
    latency,
    recovered,
    sample,
    spend,
    unsent,
)

from harness.errors import RunDirectoryError
from harness.judge import judge, judge_and_write
from harness.model.error_kind import ErrorKind
from harness.model.journal import Event
from harness.model.judgement import Judgement, Status, Verdict
from harness.model.objective import Objective
from harness.model.outcome import Result, Source
from harness.model.sample import Sample

WHOLE = (
    latency(),
    error_rate(),
    fallback(">=", 0.95, "outage"),
    fallback("<=", 0.03, "steady"),
    recovered(),
    spend(1.0),
)


def verdict(path: Path, *objectives: Objective, **more: object) -> Verdict:
    return judge(RunBuilder(objectives=objectives or WHOLE, **more).build(path / "run"))  # type: ignore[arg-type]


def only(path: Path, objective: Objective, **more: object) -> Judgement:
    (result,) = verdict(path, objective, **more).results
    return result


def slow_to_recover(until_s: float) -> list[Sample]:
    return [failed(row) if 12 * S <= row.intended_ns < until_s * S else row for row in healthy_samples()]


def test_a_healthy_run_passes(tmp_path: Path) -> None:
    found = verdict(tmp_path)
    assert (found.verdict, found.exit_code) == (Status.PASS, 0)
    assert found.reason == "pass: all 10 results passed"
    assert found.instrument.valid
    assert found.started_at == "2023-11-14T22:13:20.000+00:00"
    assert found.spend_usd == pytest.approx(0.64)


def test_a_service_whose_fallback_is_off_fails_and_says_why_in_one_sentence(tmp_path: Path) -> None:
    rows = [failed(row) if 12 * S <= row.intended_ns < 22 * S else row for row in healthy_samples()]
    found = verdict(tmp_path, *WHOLE, samples=rows)
    assert (found.verdict, found.exit_code) == (Status.FAIL, 1)
    assert found.reason.startswith("fail: 100 % of the requests in phase outage failed (200 of 200; limit at most 5 %")
    assert "while provider.primary was under fault the provider saw no call to the second model at all" in found.reason
    assert "\n" not in found.reason


def test_of_several_failures_the_sentence_is_about_the_one_nearest_the_cause(tmp_path: Path) -> None:
    rows = [sample(row.seq, row.intended_ns / S, 6.0, source=Source.PRIMARY) for row in healthy_samples()]
    assert verdict(tmp_path, *WHOLE, samples=rows).reason.startswith("fail: only 0 % of the answers in phase outage came from")


def test_the_same_directory_is_judged_alike_each_time(tmp_path: Path) -> None:
    run = RunBuilder(objectives=WHOLE).build(tmp_path / "run")
    assert judge(run) == judge(run)


def test_a_written_verdict_reads_back_as_it_was(tmp_path: Path) -> None:
    run = RunBuilder(objectives=WHOLE).build(tmp_path / "run")
    assert judge_and_write(run) == run.verdict()
    judge_and_write(run)
    assert (run.path / "verdicts" / "002.json").is_file()


# -- recovery -------------------------------------------------------------------------------------------------------


def test_a_recovery_within_its_limit_passes(tmp_path: Path) -> None:
    result = verdict(tmp_path, *WHOLE).results[-2]
    assert (result.id, result.status) == ("recovered", Status.PASS)
    assert result.test is not None
    assert result.test.value == pytest.approx(1.0)
    assert "in this one drill" in result.reason


def test_a_late_recovery_fails_with_its_time(tmp_path: Path) -> None:
    found = verdict(tmp_path, error_rate(during=("steady",)), recovered(2.0), samples=slow_to_recover(26.0)).results[-1]
    assert found.status is Status.FAIL
    assert found.test is not None
    assert found.test.value == pytest.approx(4.0)  # 22.1 + 4 windows of a second, the last bad one of them at 25.1


def test_a_service_that_does_not_recover_in_what_was_looked_at_fails_as_longer_than_that(tmp_path: Path) -> None:
    found = verdict(tmp_path, error_rate(during=("steady",)), recovered(5.0), samples=slow_to_recover(99)).results[-1]
    assert found.status is Status.FAIL
    assert found.test is not None
    assert found.test.value is None
    assert (found.test.lower or 0.0) > 5.0


def test_a_recovery_that_could_still_have_come_in_time_is_not_decided(tmp_path: Path) -> None:
    short = (*PHASES[:3], replace(PHASES[3], end_ns=24 * S))  # three windows of a second do not fit in 1.9 s
    rows = [row for row in healthy_samples() if row.intended_ns < 24 * S]
    found = verdict(tmp_path, error_rate(during=("steady",)), recovered(5.0), samples=rows, phases=short).results[-1]
    assert found.status is Status.INCONCLUSIVE


def test_a_recovery_without_requests_is_not_decided(tmp_path: Path) -> None:
    rows = [row for row in healthy_samples() if row.intended_ns < 22 * S]
    found = verdict(tmp_path, error_rate(during=("steady",)), recovered(5.0), samples=rows, planned=0).results[-1]
    assert found.status is Status.INCONCLUSIVE


def test_without_a_steady_objective_nobody_can_say_what_recovered_means(tmp_path: Path) -> None:
    assert only(tmp_path, recovered()).status is Status.INCONCLUSIVE


def test_a_recovery_from_a_phase_without_a_fault_is_not_decided(tmp_path: Path) -> None:
    found = verdict(tmp_path, error_rate(), replace(recovered(), after="steady"))
    assert found.results[-1].status is Status.INCONCLUSIVE


# -- spend ----------------------------------------------------------------------------------------------------------


def test_a_spend_up_to_its_limit_passes_and_above_it_fails(tmp_path: Path) -> None:
    assert only(tmp_path / "a", spend(0.65)).status is Status.PASS
    over = only(tmp_path / "b", spend(0.32))
    assert over.status is Status.FAIL
    assert over.reason == "the load cost $0.64 in 640 calls (limit $0.32, 2.00 times as much)"


def test_a_spend_without_any_call_is_not_decided(tmp_path: Path) -> None:
    assert only(tmp_path, spend(1.0), calls=[]).status is Status.INCONCLUSIVE


@pytest.mark.parametrize("claim", [0.001, None])
def test_a_spend_that_only_the_target_tells_is_not_decided(tmp_path: Path, claim: float | None) -> None:
    rows = [replace(row, claimed_cost_usd=claim) for row in healthy_samples()]
    result = only(tmp_path, spend(1000.0), samples=rows, without_truth=True, target_kind="external")
    assert result.status is Status.INCONCLUSIVE


# -- validity -------------------------------------------------------------------------------------------------------


def invalid(found: Verdict, *words: str) -> None:
    """Assert that a run is invalid for the reason given, and that its figures were kept."""
    assert (found.verdict, found.exit_code) == (Status.INVALID, 4)
    assert found.reason.startswith("invalid: ")
    for word in words:
        assert word in found.reason
    assert {result.status for result in found.results} == {Status.INVALID}
    assert all(result.test is not None for result in found.results)


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        (tuple(FAULT_STEPS), "was never fired"),
        ((Event.FAULT_CONFIRMED,), "never confirmed"),
        ((Event.FAULT_ACTED,), "never acted on anything"),
        ((Event.FAULT_CLEARED,), "never cleared"),
        ((Event.FAULT_PROVED_CLEAR,), "never proved clear"),
    ],
)
def test_a_fault_that_did_not_do_all_its_steps_makes_the_run_invalid(
    tmp_path: Path, left_out: tuple[Event, ...], words: str
) -> None:
    steps = {event: at_s for event, at_s in FAULT_STEPS.items() if event not in left_out}
    invalid(verdict(tmp_path, *WHOLE, steps=steps), "fault f1 (timeout at provider.primary)", words)


def test_a_fault_that_acted_on_nothing_makes_the_run_invalid(tmp_path: Path) -> None:
    invalid(verdict(tmp_path, *WHOLE, acted=0), "never acted")


def test_a_fault_that_was_not_expected_to_act_may_stay_idle(tmp_path: Path) -> None:
    from run_builder import FAULT

    assert verdict(tmp_path, *WHOLE, acted=0, faults=(replace(FAULT, expects_action=False),)).verdict is Status.PASS


@pytest.mark.parametrize("missing", [Event.LOAD_ENDED, Event.RUN_ENDED])
def test_a_run_cut_short_is_invalid(tmp_path: Path, missing: Event) -> None:
    events = tuple(e for e in (Event.RUN_STARTED, Event.LOAD_STARTED, Event.LOAD_ENDED, Event.RUN_ENDED) if e is not missing)
    invalid(verdict(tmp_path, *WHOLE, events=events))


def test_an_aborted_run_is_invalid_with_the_reason(tmp_path: Path) -> None:
    run = RunBuilder(objectives=WHOLE).build(tmp_path / "run")
    run.record(Event.ABORTED, at_ns=0, reason="error rate above 50 %")
    run.write_manifest()
    invalid(judge(run), "the run did not go through: aborted: error rate above 50 %")


@pytest.mark.parametrize(("halted_at_s", "told"), [(20, ()), (32, ("240 of 640 intended requests were never sent",))])
def test_what_was_due_after_a_halt_is_not_the_generators_failing(tmp_path: Path, halted_at_s: int, told: tuple[str, ...]) -> None:
    called_off = {"result": Result.CANCELLED, "error_kind": ErrorKind.STOPPED}  # as the end of a load leaves what was not due yet
    rows = [replace(unsent(row), **called_off) if row.intended_ns >= 20 * S else row for row in healthy_samples()]
    run = RunBuilder(objectives=WHOLE, samples=rows).build(tmp_path / "run")
    run.record(Event.ABORTED, at_ns=halted_at_s * S, reason="halted by hand")
    run.write_manifest()
    judged = judge(run)
    invalid(judged, "the run did not go through: aborted: halted by hand")
    assert tuple(problem.partition(" (")[0] for problem in judged.instrument.problems) == told


def test_a_run_without_the_providers_records_is_invalid_unless_the_target_has_none(tmp_path: Path) -> None:
    invalid(verdict(tmp_path / "a", *WHOLE, without_truth=True), "truth/calls.parquet is missing")
    assert verdict(tmp_path / "b", latency(), without_truth=True, target_kind="external").verdict is Status.PASS


def test_a_changed_file_makes_the_run_invalid(tmp_path: Path) -> None:
    run = RunBuilder(objectives=WHOLE).build(tmp_path / "run")
    with run.live_path.open("ab") as file:
        file.write(b"\n")
    invalid(judge(run), "changed after the run: live.jsonl")


def test_a_run_without_a_manifest_is_invalid(tmp_path: Path) -> None:
    invalid(verdict(tmp_path, *WHOLE, manifest=False), "no readable manifest")


def test_a_killed_run_is_closed_judged_and_invalid(tmp_path: Path) -> None:
    run = RunBuilder(objectives=WHOLE, closed=False, manifest=False, events=(Event.RUN_STARTED,)).build(tmp_path / "run")
    invalid(judge(run))
    assert run.samples().num_rows == 640


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row for row in healthy_samples() if row.seq != 300], "1 of 640 intended requests have no row"),
        ([unsent(row) if row.seq % 100 == 0 else row for row in healthy_samples()], "7 of 640 intended requests were never sent"),
        (
            [replace(row, started_ns=row.intended_ns + 60_000_000) if row.seq % 50 == 0 else row for row in healthy_samples()],
            "left more than 60 ms after their intended time (bound 50 ms)",
        ),
        (
            [
                replace(row, started_ns=row.intended_ns + 80_000_000, pool_wait_ns=80_000_000) if row.seq % 50 == 0 else row
                for row in healthy_samples()
            ],
            "waited more than 80 ms for a connection",
        ),
        ([*healthy_samples(), sample(5, 3.0)], "recorded twice"),
    ],
)
def test_a_load_that_was_not_delivered_makes_the_run_invalid(tmp_path: Path, rows: list[Sample], words: str) -> None:
    invalid(verdict(tmp_path, *WHOLE, samples=rows), words)


def test_a_target_whose_answers_end_conversations_fails_and_the_instrument_is_not_blamed(tmp_path: Path) -> None:
    def first_turn(row: Sample) -> Sample:
        return replace(row, result=Result.MALFORMED, source=None, error_kind=ErrorKind.NO_DONE)

    def second_turn(row: Sample) -> Sample:
        return replace(unsent(row), result=Result.CANCELLED, error_kind=ErrorKind.CONVERSATION_BROKEN)

    turns = [first_turn, second_turn]
    rows = [turns[row.seq % 10](row) if row.seq % 10 < 2 else row for row in healthy_samples()]
    assert verdict(tmp_path, *WHOLE, samples=rows).verdict == "fail"


def test_a_load_that_ended_early_makes_the_run_invalid(tmp_path: Path) -> None:
    rows = [row for row in healthy_samples() if row.intended_ns < 24 * S]
    invalid(verdict(tmp_path, *WHOLE, samples=rows, planned=640), "480 requests were intended where the plan has 640")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (calm_lines(cpu_ratio=0.97), "used 97 % of its core"),
        (calm_lines(loop_lag_ms=120.0), "event loop woke 12"),
        ([], "left no live lines"),
    ],
)
def test_a_generator_that_could_not_keep_up_makes_the_run_invalid(tmp_path: Path, lines: list[object], words: str) -> None:
    invalid(verdict(tmp_path, *WHOLE, live=lines), words)


def test_one_busy_second_is_no_saturation(tmp_path: Path) -> None:
    lines = calm_lines()
    lines[3] = replace(lines[3], cpu_ratio=1.0)
    assert verdict(tmp_path, *WHOLE, live=lines).verdict is Status.PASS


def test_an_invalid_run_does_not_fail(tmp_path: Path) -> None:
    rows = [failed(row) for row in healthy_samples()]
    invalid(verdict(tmp_path, latency(), error_rate(), samples=rows, acted=0))


# -- weighing -------------------------------------------------------------------------------------------------------


def test_a_run_without_any_gate_is_inconclusive(tmp_path: Path) -> None:
    found = judge(RunBuilder(objectives=()).build(tmp_path / "run"))
    assert (found.verdict, found.exit_code) == (Status.INCONCLUSIVE, 3)
    warned = verdict(tmp_path / "w", error_rate(severity=WARN))
    assert warned.verdict is Status.INCONCLUSIVE


def test_a_warning_leaves_a_passed_run_a_warned_one(tmp_path: Path) -> None:
    strict = replace(latency(during=("steady",)), threshold_ns=100_000_000, severity=WARN)
    found = verdict(tmp_path, error_rate(), strict)
    assert (found.verdict, found.exit_code) == (Status.WARN, 0)
    assert found.reason.startswith("warn: 100 % of the requests in phase steady took longer than 100 ms")


def test_an_undecided_gate_outweighs_passed_ones(tmp_path: Path) -> None:
    found = verdict(tmp_path, error_rate(), error_rate(0.001, during=("steady",)))
    assert (found.verdict, found.exit_code) == (Status.INCONCLUSIVE, 3)


def test_an_empty_run_is_never_a_pass(tmp_path: Path) -> None:
    assert verdict(tmp_path, *WHOLE, samples=[]).verdict is Status.INVALID


def test_a_directory_without_samples_or_with_damaged_ones_is_an_error(tmp_path: Path) -> None:
    run = RunBuilder(objectives=WHOLE).build(tmp_path / "run")
    run.samples_path.write_bytes(b"not parquet")
    with pytest.raises(RunDirectoryError, match="damaged"):
        judge(run)


def test_cancelled_requests_are_no_reason_to_fail(tmp_path: Path) -> None:
    rows = [*healthy_samples(), *(failed(sample(640 + n, 31.9, None), Result.CANCELLED) for n in range(30))]
    assert verdict(tmp_path, *WHOLE, samples=rows, calls=None).verdict is Status.PASS


def test_samples_without_one_of_their_columns_are_an_error(tmp_path: Path) -> None:
    run = RunBuilder(objectives=WHOLE).build(tmp_path / "run")
    table = pq.read_table(run.samples_path).drop_columns(["result"])
    pq.write_table(table, run.samples_path)
    with pytest.raises(RunDirectoryError, match=r"damaged: No match|its columns are not those of"):
        judge(run)
