"""A refusal for the rate says how long to wait, on any instance."""

from typing import TYPE_CHECKING

from harness.checks.rate_refusals.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.rate_refusals.judging import judge_rate_refusals

    return judge_rate_refusals(reading, check)
