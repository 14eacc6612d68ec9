"""The limit that all users share is exact over users and instances, and its window ends."""

from typing import TYPE_CHECKING

from harness.checks.global_limit.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.global_limit.judging import judge_global_limit

    return judge_global_limit(reading, check)
