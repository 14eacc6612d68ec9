"""A hard budget holds under a burst of concurrent calls, by the provider's own meter."""

from typing import TYPE_CHECKING

from harness.checks.budget_cap.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.budget_cap.judging import judge_budget_cap

    return judge_budget_cap(reading, check)
