"""Where a limit cannot be counted nobody is let through."""

from typing import TYPE_CHECKING

from harness.checks.fails_closed.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.fails_closed.judging import judge_fails_closed

    return judge_fails_closed(reading, check)
