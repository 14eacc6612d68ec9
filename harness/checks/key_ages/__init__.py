"""No key that works is older than it may become."""

from typing import TYPE_CHECKING

from harness.checks.key_ages.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.key_ages.judging import judge_key_ages

    return judge_key_ages(reading, check)
