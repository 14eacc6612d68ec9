"""Retry backoff: how long each request waited before it was tried again, by the provider's records."""

import itertools
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from run_builder import RunBuilder, S, call_of, healthy_samples

from harness.checks import CHECKS, PLANNERS
from harness.measure import read_run
from harness.model.fault import Scalar
from harness.model.judgement import Judgement, Status
from harness.model.plan import PlannedCheck
from harness.model.sample import Call

numbers = itertools.count()
MS = 1_000_000
Waits = Callable[[int, random.Random], list[float]]


def jitter(_: int, source: random.Random) -> list[float]:
    return [100 * source.uniform(0.5, 1)]


def fixed(_: int, source: random.Random) -> list[float]:
    """A wait of a hundred milliseconds, and what a busy machine adds to it."""
    return [100 + source.uniform(0, 12)]


def tried(waits_ms: Waits, *, every: int = 10) -> list[Call]:
    """Return the calls of the default run; each n-th request of the steady phase is tried again after these milliseconds."""
    source = random.Random(4)
    calls = []
    for row in healthy_samples():
        calls.append(last := call_of(row))
        if 2 * S <= row.intended_ns < 12 * S and row.seq % every == 0:
            last = calls[-1] = replace(last, status_code=503, ended="refused", ended_ns=last.received_ns + 2 * MS)
            for number, wait_ms in enumerate(waits_ms(row.seq, source), start=1):
                assert last.ended_ns is not None
                came_ns = last.ended_ns + round(wait_ms * MS)
                last = replace(last, call_id=f"call-{row.seq}-{number}", received_ns=came_ns, ended_ns=came_ns + 2 * MS)
                calls.append(last)
    return calls


def judged(path: Path, calls: list[Call] | None, *, settings: dict[str, Scalar] | None = None, **more: object) -> Judgement:
    check = PlannedCheck(id="backoff", name="retry backoff", phase="steady", settings=settings or {})
    run = RunBuilder(checks=(check,), calls=calls, **more).build(path / f"run{next(numbers)}")  # type: ignore[arg-type]
    return CHECKS["retry backoff"][1](read_run(run), check)


def test_waits_that_are_drawn_each_by_itself_pass(tmp_path: Path) -> None:
    seen = judged(tmp_path, tried(jitter))
    assert seen.status is Status.PASS, seen.reason
    assert "19 requests were tried again at the primary model in phase steady after" in seen.reason


def test_waits_that_double_pass_and_are_told(tmp_path: Path) -> None:
    seen = judged(tmp_path, tried(lambda _, r: [100 * r.uniform(0.5, 1), 200 * r.uniform(0.5, 1)]))
    assert seen.status is Status.PASS, seen.reason
    assert "19 of them once more, after longer" in seen.reason


@pytest.mark.parametrize(
    ("waits_ms", "told"),
    [
        (fixed, " waited the same time to a tenth: without jitter they come back in step"),
        (lambda _, r: [r.uniform(0.5, 5)], "half of them waited less than 20ms: that is no backoff"),
        (lambda _, r: [100 * r.uniform(0.5, 1), 50 * r.uniform(0.5, 1)], "the second wait"),
    ],
)
def test_retries_at_once_in_step_or_ever_faster_fail(waits_ms: Waits, told: str, tmp_path: Path) -> None:
    seen = judged(tmp_path, tried(waits_ms))
    assert seen.status is Status.FAIL, seen.reason
    assert told in seen.reason
    assert seen.evidence[0].kind == "request"


def test_few_retries_or_no_records_are_inconclusive(tmp_path: Path) -> None:
    few = judged(tmp_path, tried(fixed, every=40))
    assert (few.status, "5 requests" in few.reason) == (Status.INCONCLUSIVE, True)
    assert judged(tmp_path, None).status is Status.INCONCLUSIVE
    assert judged(tmp_path, None, without_truth=True, target_kind="external").status is Status.INCONCLUSIVE


def test_calls_to_the_other_model_or_beside_one_another_are_no_retries(tmp_path: Path) -> None:
    other = [replace(call, endpoint="secondary") if call.call_id.count("-") > 1 else call for call in tried(fixed)]
    assert judged(tmp_path, other).status is Status.INCONCLUSIVE
    assert judged(tmp_path, tried(lambda *_: [-1.0])).status is Status.INCONCLUSIVE


def test_a_setting_that_is_no_duration_is_refused() -> None:
    check = PlannedCheck(id="backoff", name="retry backoff", phase="steady", settings={"at_least": "soon"})
    with pytest.raises(ValueError, match="soon"):
        PLANNERS["retry backoff"].plan(check, RunBuilder().plan().phases[1])
