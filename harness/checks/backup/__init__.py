"""A backup puts back what was there, in a known time, and loses no more than what came after it."""

from typing import TYPE_CHECKING

from harness.checks.backup.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.backup.judging import judge_backup

    return judge_backup(reading, check)
