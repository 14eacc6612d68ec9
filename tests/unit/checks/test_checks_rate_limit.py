"""The rate limit check: what it sends, and how it judges what came back."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from run_builder import PHASES, RunBuilder, S, failed, healthy_samples, refused, sample

from harness.checks.rate_limit import PLANNER
from harness.judge import judge
from harness.model.fault import Scalar
from harness.model.judgement import Judgement, Status
from harness.model.outcome import Refusal, Source
from harness.model.plan import PlannedCheck

STEADY = PHASES[1]
numbers = itertools.count()


def check(**settings: Scalar) -> PlannedCheck:
    return PlannedCheck(id="rate", name="rate limit", phase="steady", settings=settings, covers=("S4",))


def judged(path: Path, through: int, *, sent: int = 30, lost: int = 0, manifest: bool = True) -> Judgement:
    steps = PLANNER.plan(check(), STEADY)
    rows = healthy_samples()
    for number in range(sent):
        row = sample(len(rows), steps.bursts[0].at_ns / S, user_class="check:rate", principal="hasty-rate", source=Source.RULE)
        if number >= through:
            row = failed(row) if number < through + lost else refused(row, Refusal.RATE, status=429)
        rows.append(row)
    run = RunBuilder(samples=rows, checks=(check(),), bursts=steps.bursts, manifest=manifest).build(path / f"run{next(numbers)}")
    return judge(run).results[0]


def test_the_burst_is_three_windows_of_one_user_made_for_it() -> None:
    steps = PLANNER.plan(check(), STEADY)
    (burst,) = steps.bursts
    assert (burst.count, burst.at_ns) == (30, 3 * S)
    assert list(steps.capped_principals) == [burst.principal]


def test_exactly_the_limit_passes(tmp_path: Path) -> None:
    seen = judged(tmp_path, 10)
    assert seen.status is Status.PASS
    assert "exactly the limit of 10" in seen.reason


def test_one_more_fails_as_two_instances_that_count_apart_do(tmp_path: Path) -> None:
    assert judged(tmp_path, 11).status is Status.FAIL
    twice = judged(tmp_path, 20)
    assert twice.status is Status.FAIL
    assert twice.evidence


def test_fewer_than_the_limit_fails_too(tmp_path: Path) -> None:
    assert judged(tmp_path, 9).status is Status.FAIL


def test_requests_that_ended_otherwise_leave_it_undecided_unless_too_many_passed(tmp_path: Path) -> None:
    assert judged(tmp_path, 8, lost=3).status is Status.INCONCLUSIVE
    assert judged(tmp_path, 12, lost=3).status is Status.FAIL


def test_no_burst_is_inconclusive(tmp_path: Path) -> None:
    assert judged(tmp_path, 0, sent=0).status in (Status.INCONCLUSIVE, Status.INVALID)
    run = RunBuilder(checks=(check(),)).build(tmp_path / "bare")
    assert judge(run).results[0].status is Status.INCONCLUSIVE


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"burst": 15}, "at least twice"),
        ({"limit": 0}, "allowed: 1"),
        ({"at": "1h"}, "lasts 10 s only"),
        ({"limit": "ten"}, "int"),
    ],
)
def test_a_setting_that_could_show_nothing_is_refused(settings: dict[str, Scalar], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        PLANNER.plan(replace(check(), settings=settings), STEADY)
