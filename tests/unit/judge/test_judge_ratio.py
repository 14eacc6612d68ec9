"""Every ratio objective passes on a healthy run, fails on a broken one, and is inconclusive on too little or nothing."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run_builder import (
    WARN,
    RunBuilder,
    S,
    error_rate,
    failed,
    fallback,
    healthy_samples,
    latency,
    refused,
    sample,
    ttft,
    unsent,
)

from harness.judge import judge
from harness.model.judgement import Judgement, Status
from harness.model.objective import Objective
from harness.model.outcome import Refusal, Result, Source
from harness.model.sample import Sample

numbers = itertools.count()


def judged(path: Path, objective: Objective, rows: list[Sample] | None = None, **more: object) -> dict[str | None, Judgement]:
    run = RunBuilder(objectives=(objective,), **({} if rows is None else {"samples": rows}), **more)  # type: ignore[arg-type]
    return {result.phase: result for result in judge(run.build(path / f"run-{next(numbers)}")).results}


def steady(count: int, bad: int = 0, spoil: Callable[[Sample], Sample] = failed) -> list[Sample]:
    """Return so many requests early in the steady phase, none of which lasts into the fault; the bad ones evenly spread."""
    every = count // bad if bad else 0
    rows = [sample(n, 2.0 + 4.0 * n / count, 0.4) for n in range(count)]
    return [spoil(row) if every and row.seq % every == 0 and row.seq // every < bad else row for row in rows]


def slow(row: Sample) -> Sample:
    return sample(row.seq, row.intended_ns / S, 5.5)


def late_first_token(row: Sample) -> Sample:
    return replace(row, first_content_ns=row.intended_ns + 3 * S)


IN_STEADY = ("steady",)
CASES = [
    pytest.param(latency(during=IN_STEADY), slow, id="latency, too slow"),
    pytest.param(latency(during=IN_STEADY), failed, id="latency, failed"),
    pytest.param(ttft(during=IN_STEADY), late_first_token, id="time to first token"),
    pytest.param(error_rate(during=IN_STEADY), failed, id="error rate, errors"),
    pytest.param(error_rate(during=IN_STEADY), lambda row: failed(row, Result.TIMEOUT), id="error rate, timeouts"),
    pytest.param(error_rate(during=IN_STEADY), lambda row: failed(row, Result.MALFORMED), id="error rate, malformed"),
    pytest.param(error_rate(during=IN_STEADY), lambda row: failed(row, Result.SHED), id="error rate, shed"),
    pytest.param(error_rate(during=IN_STEADY), lambda row: refused(row, Refusal.RATE), id="error rate, unexpected refusals"),
    pytest.param(fallback("<=", 0.05, "steady"), lambda row: replace(row, source=Source.CANNED), id="fallback share from above"),
]


@pytest.mark.parametrize(("objective", "spoil"), CASES)
def test_the_bounds_of_the_table_decide(tmp_path: Path, objective: Objective, spoil: Callable[[Sample], Sample]) -> None:
    def status(count: int, bad: int) -> Status:
        return judged(tmp_path, objective, steady(count, bad, spoil))["steady"].status

    assert status(59, 0) is Status.PASS
    assert status(58, 0) is Status.INCONCLUSIVE
    assert status(200, 4) is Status.PASS
    assert status(200, 5) is Status.INCONCLUSIVE
    assert status(200, 15) is Status.INCONCLUSIVE
    assert status(200, 16) is Status.FAIL


@pytest.mark.parametrize("objective", [latency(), ttft(), error_rate(), fallback(">=", 0.95, "outage")])
def test_no_data_never_passes(tmp_path: Path, objective: Objective) -> None:
    for result in judged(tmp_path, objective, []).values():
        assert result.status is not Status.PASS


@pytest.mark.parametrize("objective", [latency(), ttft(), error_rate(), fallback(">=", 0.95, "outage")])
def test_a_healthy_run_passes_in_every_phase(tmp_path: Path, objective: Objective) -> None:
    results = judged(tmp_path, objective)
    assert [result.status for result in results.values()] == [Status.PASS] * len(objective.during)


def test_a_fallback_share_from_below_fails_where_the_second_model_stays_silent(tmp_path: Path) -> None:
    def dark(row: Sample) -> Sample:
        kept = row.seq % 33 == 0
        in_outage = 12 * S <= row.intended_ns < 22 * S
        return replace(row, source=Source.SECONDARY if kept else Source.PRIMARY) if in_outage else row

    result = judged(tmp_path, fallback(">=", 0.95, "outage"), [dark(row) for row in healthy_samples()])["outage"]
    assert result.status is Status.FAIL
    assert result.reason.startswith("only 3 % of the answers in phase outage came from a fallback (6 of 200; limit at least 95 %")
    assert result.test is not None
    assert (result.test.value, result.test.bad, result.test.n) == (pytest.approx(0.03), 194, 200)
    assert result.test.lower is not None
    assert result.test.upper is not None
    assert result.test.lower < 0.03 < result.test.upper < 0.07


def test_a_service_that_never_asks_its_second_model_is_told_so(tmp_path: Path) -> None:
    rows = [failed(row) if 12 * S <= row.intended_ns < 23 * S else row for row in healthy_samples()]
    result = judged(tmp_path, error_rate(), rows)["outage"]
    assert result.status is Status.FAIL
    assert "they ended as 200 error (200 with status 502)" in result.reason
    assert "the provider saw no call to the second model at all" in result.reason


def test_unsent_requests_are_bad(tmp_path: Path) -> None:
    result = judged(tmp_path, error_rate(during=IN_STEADY), steady(200, 20, unsent))["steady"]
    assert result.test is not None
    assert result.test.bad == 20


def test_expected_refusals_are_not_bad(tmp_path: Path) -> None:
    rows = steady(200, 50, lambda row: refused(row, Refusal.GUARD, expected=True))
    assert judged(tmp_path, error_rate(during=IN_STEADY), rows)["steady"].status is Status.PASS


def test_fast_failures_do_not_make_latency_pass(tmp_path: Path) -> None:
    rows = steady(200, 100, lambda row: replace(failed(row), ended_ns=row.intended_ns + 2_000_000))
    assert judged(tmp_path, latency(during=IN_STEADY), rows)["steady"].status is Status.FAIL


def test_an_answer_without_an_end_is_not_fast(tmp_path: Path) -> None:
    rows = steady(200, 100, lambda row: replace(row, ended_ns=None, first_content_ns=None))
    assert judged(tmp_path, latency(during=IN_STEADY), rows, faults=())["steady"].status is Status.FAIL
    assert judged(tmp_path, ttft(during=IN_STEADY), rows, faults=())["steady"].status is Status.FAIL


def test_latency_is_judged_on_the_intended_clock(tmp_path: Path) -> None:
    def sent_late(row: Sample) -> Sample:
        return replace(row, started_ns=row.intended_ns + 4 * S, ended_ns=row.intended_ns + 6 * S)

    test = judged(tmp_path, latency(during=IN_STEADY), steady(200, 100, sent_late), faults=())["steady"].test
    assert test is not None
    assert test.bad == 100


def test_only_streamed_requests_have_a_time_to_first_token(tmp_path: Path) -> None:
    rows = [replace(row, streamed=False, first_content_ns=None) for row in steady(200)]
    result = judged(tmp_path, ttft(during=IN_STEADY), rows)["steady"]
    assert result.status is Status.INCONCLUSIVE
    assert "200 not counted by time to first token" in result.reason


def test_requests_that_touch_a_fault_of_another_phase_are_not_judged(tmp_path: Path) -> None:
    rows = steady(200) + [failed(sample(200 + n, 11.5 + n / 1000, 1.0)) for n in range(100)]
    result = judged(tmp_path, error_rate(during=IN_STEADY), rows)["steady"]
    assert result.status is Status.PASS
    assert result.test is not None
    assert result.test.n == 200


def test_a_phase_in_which_everything_straddles_says_so(tmp_path: Path) -> None:
    rows = [sample(n, 11.5 + n / 1000, 1.0) for n in range(100)]
    result = judged(tmp_path, error_rate(during=IN_STEADY), rows)["steady"]
    assert result.status is Status.INCONCLUSIVE
    assert result.reason == "nothing to judge in phase steady: 100 requests intended, of which 100 astride the edge of a fault"


def test_clustered_failures_are_worth_less_than_their_number(tmp_path: Path) -> None:
    spread, together = steady(600, 18), [failed(row) if 100 <= row.seq < 118 else row for row in steady(600)]
    apart = judged(tmp_path, error_rate(during=IN_STEADY), spread)["steady"]
    cluster = judged(tmp_path, error_rate(during=IN_STEADY), together)["steady"]
    assert (apart.status, cluster.status) == (Status.PASS, Status.INCONCLUSIVE)
    assert cluster.test is not None
    assert cluster.test.n == 600
    assert (cluster.test.n_effective or 600) < 60


def test_an_undecided_share_says_about_how_many_more_requests_would_decide(tmp_path: Path) -> None:
    result = judged(tmp_path, error_rate(during=IN_STEADY), steady(20))["steady"]
    assert result.test is not None
    assert result.test.needed == 39
    assert "about 39 more requests would, if the share stays there" in result.reason


def test_evidence_names_the_worst_first_and_five_at_most(tmp_path: Path) -> None:
    rows = steady(100)
    rows[10], rows[20], rows[30] = sample(10, 4.0, 6.0), sample(20, 4.1, 7.0), failed(sample(30, 4.2, 0.1))
    result = judged(tmp_path, latency(during=IN_STEADY), rows, steps={})["steady"]
    assert [evidence.ref for evidence in result.evidence] == ["30", "20", "10"]
    assert len(judged(tmp_path, error_rate(during=IN_STEADY), steady(100, 20))["steady"].evidence) == 5


def test_an_objective_of_one_class_counts_that_class_only(tmp_path: Path) -> None:
    objective = error_rate(during=IN_STEADY, classes=("other",))
    result = judged(tmp_path, objective, steady(200))["steady"]
    assert result.status is Status.INCONCLUSIVE
    assert "nothing to judge of other in phase steady" in result.reason


def test_a_warm_up_is_never_judged(tmp_path: Path) -> None:
    assert judged(tmp_path, error_rate(during=("warmup",)))["warmup"].status is Status.NOT_APPLICABLE


def test_a_phase_that_the_plan_does_not_have_is_inconclusive(tmp_path: Path) -> None:
    assert judged(tmp_path, error_rate(during=("storm",)))["storm"].status is Status.INCONCLUSIVE


def test_a_failed_objective_of_severity_warn_warns(tmp_path: Path) -> None:
    objective = error_rate(during=IN_STEADY, severity=WARN)
    assert judged(tmp_path, objective, steady(200, 100))["steady"].status is Status.WARN


def test_the_percentile_is_shown_with_its_interval(tmp_path: Path) -> None:
    rows = [sample(n, 2.0 + 5.0 * n / 200, (n + 1) / 100) for n in range(200)]  # 10 ms, 20 ms, ... 2 s
    shown = judged(tmp_path, latency(during=IN_STEADY), rows)["steady"].shown
    assert shown is not None
    assert (shown.quantity, shown.unit, shown.value) == ("p95", "s", pytest.approx(1.9))
    assert shown.interval is not None
    assert shown.interval[0] < 1.9 < shown.interval[1] <= 2.0


ORDER = [Status.PASS, Status.INCONCLUSIVE, Status.FAIL]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(0, 119), max_size=25), st.integers(0, 119), st.sampled_from(list(Result)))
def test_adding_a_failure_never_makes_a_run_pass_that_did_not(tmp_path: Path, bad: set[int], another: int, how: Result) -> None:
    if how in (Result.ANSWERED, Result.REFUSED, Result.CANCELLED):
        how = Result.ERROR

    def spoiled(which: set[int]) -> Judgement:
        rows = [failed(row, how) if row.seq in which else row for row in steady(120)]
        return judged(tmp_path, error_rate(during=IN_STEADY), rows)["steady"]

    before, after = spoiled(bad), spoiled(bad | {another})
    assert not (after.status is Status.PASS and before.status is not Status.PASS)
    assert not (before.status is Status.FAIL and after.status is Status.PASS)
