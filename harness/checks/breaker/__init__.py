"""The circuit opens on a failing provider and closes once it is back, on every instance."""

from typing import TYPE_CHECKING

from harness.checks.breaker.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.breaker.judging import judge_breaker

    return judge_breaker(reading, check)
