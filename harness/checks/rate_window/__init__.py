"""A window of the rate limit ends when it was said to, also for a user who keeps asking."""

from typing import TYPE_CHECKING

from harness.checks.rate_window.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.rate_window.judging import judge_rate_window

    return judge_rate_window(reading, check)
