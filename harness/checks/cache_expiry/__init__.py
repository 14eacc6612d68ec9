"""A cached answer is given no longer than it may be."""

from typing import TYPE_CHECKING

from harness.checks.cache_expiry.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.cache_expiry.judging import judge_cache_expiry

    return judge_cache_expiry(reading, check)
