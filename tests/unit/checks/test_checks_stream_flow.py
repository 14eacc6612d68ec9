"""Stream flow: over which time streams arrive, by the provider's own clock of its chunks."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from run_builder import RunBuilder, call_of, healthy_samples

from harness.checks.stream_flow import PLANNER
from harness.judge import judge
from harness.model.fault import Scalar
from harness.model.judgement import Judgement, Status
from harness.model.plan import PlannedCheck
from harness.model.sample import Call, Sample

numbers = itertools.count()
CHECK = PlannedCheck(id="flow", name="stream flow", phase="steady", settings={})


def judged(path: Path, samples: list[Sample], calls: list[Call] | None = None, **more: object) -> Judgement:
    calls = [call_of(row) for row in healthy_samples()] if calls is None else calls
    builder = RunBuilder(checks=(CHECK,), calls=calls, **more)  # type: ignore[arg-type]
    builder.samples = samples
    return judge(builder.build(path / f"run{next(numbers)}")).results[0]


def buffered(row: Sample) -> Sample:
    return replace(row, first_content_ns=row.last_content_ns)


def test_streams_that_arrive_as_they_are_said_pass(tmp_path: Path) -> None:
    seen = judged(tmp_path, healthy_samples())
    assert seen.status is Status.PASS
    assert seen.test is not None
    assert seen.test.value == pytest.approx(1.0)


def test_streams_that_are_held_back_until_they_are_whole_fail(tmp_path: Path) -> None:
    seen = judged(tmp_path, [buffered(row) for row in healthy_samples()])
    assert seen.status is Status.FAIL
    assert "held back" in seen.reason
    assert seen.evidence[0].kind == "request"


def test_a_few_that_arrive_at_once_are_a_busy_machine(tmp_path: Path) -> None:
    assert judged(tmp_path, [buffered(row) if row.seq % 3 == 0 else row for row in healthy_samples()]).status is Status.PASS


@pytest.mark.parametrize("what", ["no records", "no streams", "short answers", "cut calls"])
def test_what_cannot_be_held_against_a_call_is_inconclusive(what: str, tmp_path: Path) -> None:
    rows = healthy_samples()
    calls = [call_of(row) for row in rows]
    if what == "no records":
        seen = judged(tmp_path, rows, without_truth=True, target_kind="external")
    elif what == "no streams":
        seen = judged(tmp_path, [replace(row, streamed=False) for row in rows])
    elif what == "short answers":
        seen = judged(tmp_path, rows, [replace(call, first_content_ns=call.last_content_ns) for call in calls])
    else:
        seen = judged(tmp_path, rows, [replace(call, ended="cut") for call in calls])
    assert seen.status is Status.INCONCLUSIVE, seen.reason


@pytest.mark.parametrize("settings", [{"at_least": 0.0}, {"at_least": float("nan")}, {"least": 0}])
def test_a_setting_out_of_range_is_refused(settings: dict[str, Scalar]) -> None:
    check = replace(CHECK, settings=settings)
    with pytest.raises(ValueError, match="allowed"):
        PLANNER.plan(check, RunBuilder().plan().phases[1])
