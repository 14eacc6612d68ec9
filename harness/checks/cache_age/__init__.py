"""A cached answer is given for an hour and no longer, at both levels, by clocks that are moved."""

from typing import TYPE_CHECKING

from harness.checks.cache_age.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.cache_age.judging import judge_cache_age

    return judge_cache_age(reading, check)
