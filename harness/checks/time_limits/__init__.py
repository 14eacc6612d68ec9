"""Nobody is kept waiting longer than the service allows itself, whatever hangs behind it."""

from typing import TYPE_CHECKING

from harness.checks.time_limits.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.time_limits.judging import judge_time_limits

    return judge_time_limits(reading, check)
