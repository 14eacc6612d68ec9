"""What was refused or changed stands in the audit log: who, what, when, with what outcome; and stays there."""

from typing import TYPE_CHECKING

from harness.checks.audit_log.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.audit_log.judging import judge_audit_log

    return judge_audit_log(reading, check)
