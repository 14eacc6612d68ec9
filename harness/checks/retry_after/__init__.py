"""A provider that asks for quiet is left alone for as long as it asked."""

from typing import TYPE_CHECKING

from harness.checks.retry_after.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.retry_after.judging import judge_retry_after

    return judge_retry_after(reading, check)
