"""What became of a fault decides whether a run can be believed: held, acted, untouched by hand."""

from pathlib import Path

from run_builder import RunBuilder, error_rate

from harness.judge import judge
from harness.model.journal import Event
from harness.model.judgement import Status, Verdict

S = 1_000_000_000


def judged(path: Path, *entries: tuple[Event, str, dict], acted: int | None = 100) -> Verdict:
    run = RunBuilder(objectives=(error_rate(),), acted=acted, manifest=False).build(path / "run")  # type: ignore[arg-type]
    for event, subject, data in entries:
        run.record(event, subject, at_ns=22 * S, **data)
    run.write_manifest()
    return judge(run)


def test_a_fault_that_fell_away_by_itself_makes_the_run_invalid(tmp_path: Path) -> None:
    found = judged(tmp_path, (Event.FAULT_FAILED, "f1", {"step": "hold", "reason": "it was no longer in force"}))
    assert found.verdict is Status.INVALID
    assert "fault f1 (timeout at provider.primary) did not hold: it was no longer in force" in found.reason


def test_a_hold_that_failed_in_the_rehearsal_says_nothing_about_the_run(tmp_path: Path) -> None:
    failed = {"step": "hold", "reason": "it was no longer in force", "rehearsal": True}
    assert judged(tmp_path, (Event.FAULT_FAILED, "f1", failed)).verdict is Status.PASS


def test_an_action_that_nobody_can_count_is_not_taken_for_none(tmp_path: Path) -> None:
    found = judged(tmp_path, acted=None)
    assert found.verdict is Status.PASS
    (fault,) = found.faults
    assert fault.acted is not None
    assert fault.acted.count is None


def test_a_run_that_a_person_had_a_hand_on_proves_nothing_about_its_plan(tmp_path: Path) -> None:
    found = judged(tmp_path, (Event.HAND, "fault.add", {"what": "latency at links.redis for 30 s", "done": True}))
    assert found.verdict is Status.INVALID
    assert "a hand was on the run: fault.add latency at links.redis for 30 s" in found.reason


def test_an_order_that_was_refused_changed_nothing(tmp_path: Path) -> None:
    found = judged(tmp_path, (Event.HAND, "fault.add", {"what": "latency at links.redis for 30 s", "done": False}))
    assert found.verdict is Status.PASS
