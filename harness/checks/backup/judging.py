"""Was what was backed up there again, what came later gone, and how long did it take?"""

from collections.abc import Mapping

from harness.checks.backup.planning import PLANNER
from harness.checks.evidence import action_of, answered, evidence_of, judgement, records_of, undone
from harness.checks.expectations import is_good, json_of
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.journal import JournalEntry
from harness.model.judgement import Judgement, Shown, Status, Test
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord
from harness.model.units import format_duration, parse_duration_ns


def judge_backup(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether a backup restores, with its recovery point and time. Raises RunDirectoryError."""
    limit_ns = parse_duration_ns(complete(PLANNER.settings, check.settings)["restored"])
    if (why := undone(reading, check, "back-up", "restore")) is not None:
        # A restore that cannot be done is what a drill is for: the backup itself was made.
        made = undone(reading, check, "back-up") is None and action_of(reading, check, "restore") is not None
        return judgement(check, Status.FAIL if made else Status.INCONCLUSIVE, f"backup: {why}")
    records = records_of(reading, check)
    last = {name: next(reversed(answered(mine)), None) for name, mine in records.items()}
    backed_up, restored = action_of(reading, check, "back-up"), action_of(reading, check, "restore")
    assert backed_up is not None
    assert restored is not None
    took_ms = restored.data.get("took_ms")
    recovery_s = took_ms / 1e3 if isinstance(took_ms, int) else None
    point_s = ((restored.t_ns or 0) - (backed_up.t_ns or 0)) / 1e9 - (recovery_s or 0.0)
    test = Test(quantity="recovery_time_s", op="<=", limit=limit_ns / 1e9, value=recovery_s, n=len(records))
    shown = Shown(quantity="recovery point: age of the backup", unit="s", value=round(point_s, 3))
    later = last.get("lost")
    if not _is_done(last.get("kept-answered")) or later is None or not is_good(later):
        reason = "backup: the messages by which a restore is seen were not taken, so it proves nothing"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test, shown=shown)
    if (text := _wrong_inside(backed_up, restored, last)) is not None:
        return judgement(check, Status.FAIL, f"backup: {text}", test=test, shown=shown)
    kept, lost, served = (last.get(name) for name in ("kept-after", "lost-after", "served-after"))
    wrong: tuple[str, ProbeRecord] | None = None
    if kept is not None and not _is_done(kept) and kept.status_code in (200, 404):
        wrong = "what was there at the backup is not there after the restore", kept
    elif lost is not None and is_good(lost):
        wrong = "what came after the backup is still there, so nothing was put back", lost
    if wrong is not None:
        return judgement(check, Status.FAIL, f"backup: {wrong[0]}", test=test, shown=shown, evidence=(evidence_of(wrong[1]),))
    if recovery_s is None or recovery_s * 1e9 > limit_ns:
        reason = f"backup: the restore took {recovery_s} s, {format_duration(limit_ns)} are allowed"
        return judgement(check, Status.FAIL, reason, test=test, shown=shown)
    if kept is None or lost is None or served is None or not _is_done(kept) or lost.status_code != 404 or not is_good(served):
        reason = "backup: nobody could see what the restore brought back: the service did not answer two seconds after it"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test, shown=shown)
    reason = f"the backup was put back in {recovery_s:.1f} s; what came in the {point_s:.1f} s after it is lost, and nothing else"
    return judgement(check, Status.PASS, reason, test=test, shown=shown)


def _wrong_inside(backed_up: JournalEntry, restored: JournalEntry, last: Mapping[str, ProbeRecord | None]) -> str | None:
    """Return what is wrong with what the backup holds, where the target tells of it."""
    if backed_up.data.get("secrets_in_clear"):
        return f"{backed_up.data['secrets_in_clear']} of its files hold the service's password in clear"
    if backed_up.data.get("outdated_kept"):
        return "one that was 31 days old outlived the one that was made, and with it what users had deleted"
    if backed_up.data.get("canary_in_clear"):
        return "a message lies in the database as it was written, and so in the backup"
    for name, table, what in (("escalated", "escalation", "a wish for a person"), ("rated", "feedback", "a score")):
        record = last.get(name)
        if record is not None and is_good(record) and restored.data.get(f"rows_{table}") == 0:
            return f"{what} was taken before the backup and is in no row of {table}"
    return None


def _is_done(record: ProbeRecord | None) -> bool:
    body = None if record is None or not is_good(record) else json_of(record)
    return isinstance(body, dict) and body.get("status") == "done"
