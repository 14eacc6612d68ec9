"""Retry amplification: calls that one request caused, by the provider's records."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from run_builder import RunBuilder, S, call_of, healthy_samples

from harness.checks.retry_amplification import PLANNER
from harness.judge import judge
from harness.model.fault import Scalar
from harness.model.judgement import Judgement, Status
from harness.model.plan import PlannedCheck
from harness.model.sample import Call, Sample

numbers = itertools.count()


def judged(path: Path, calls: list[Call] | None, *, settings: dict[str, Scalar] | None = None, **more: object) -> Judgement:
    check = PlannedCheck(id="retry", name="retry amplification", phase="steady", settings=settings or {})
    run = RunBuilder(checks=(check,), calls=calls, **more).build(path / f"run{next(numbers)}")  # type: ignore[arg-type]
    return judge(run).results[0]


def tried(times: int, *, every: int = 1) -> list[Call]:
    """Return the calls of the default run; each n-th request of the steady phase tried so often at the primary."""
    calls = []
    for row in healthy_samples():
        calls.append(call_of(row))
        if 2 * S <= row.intended_ns < 12 * S and row.seq % every == 0:
            calls += [again(row, number) for number in range(1, times)]
    return calls


def again(row: Sample, number: int) -> Call:
    return replace(call_of(row), call_id=f"call-{row.seq}-{number}", status_code=429, ended="refused")


def test_one_call_a_request_passes(tmp_path: Path) -> None:
    assert judged(tmp_path, None).status is Status.PASS


def test_a_retry_within_the_budget_passes(tmp_path: Path) -> None:
    assert judged(tmp_path, tried(2, every=10)).status is Status.PASS


def test_every_call_twice_fails_on_the_average(tmp_path: Path) -> None:
    seen = judged(tmp_path, tried(2))
    assert seen.status is Status.FAIL
    assert "2.00 for each request" in seen.reason


def test_one_request_that_storms_fails_alone_and_is_named(tmp_path: Path) -> None:
    seen = judged(tmp_path, tried(10, every=100))
    assert seen.status is Status.FAIL
    assert "one request caused 10 calls" in seen.reason
    assert {evidence.ref for evidence in seen.evidence} & {"100", "200"}


def test_calls_to_the_other_model_are_not_counted(tmp_path: Path) -> None:
    calls = [replace(call, endpoint="secondary") if call.ended == "refused" else call for call in tried(5)]
    assert judged(tmp_path, calls).status is Status.PASS


def test_too_few_requests_or_no_records_are_inconclusive(tmp_path: Path) -> None:
    assert judged(tmp_path, []).status is Status.INCONCLUSIVE
    assert judged(tmp_path, None, without_truth=True, target_kind="external").status is Status.INCONCLUSIVE


@pytest.mark.parametrize("settings", [{"at_most": 0.5}, {"for_one": 0}, {"endpoint": "third"}, {"at_most": float("nan")}])
def test_a_setting_out_of_range_is_refused(settings: dict[str, Scalar]) -> None:
    check = PlannedCheck(id="retry", name="retry amplification", phase="steady", settings=settings)
    with pytest.raises(ValueError, match="allowed"):
        PLANNER.plan(check, RunBuilder().plan().phases[1])
