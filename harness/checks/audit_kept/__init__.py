"""What is refused while the database is away stands in the audit log once it is back."""

from typing import TYPE_CHECKING

from harness.checks.audit_kept.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.audit_kept.judging import judge_audit_kept

    return judge_audit_kept(reading, check)
