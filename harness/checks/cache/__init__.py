"""Cached answers stay with their tenant, become misses on every instance, and are fetched once."""

from typing import TYPE_CHECKING

from harness.checks.cache.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.cache.judging import judge_cache

    return judge_cache(reading, check)
