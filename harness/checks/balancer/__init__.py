"""The operators' balancer sends no request twice, and what it says by itself can be read."""

from typing import TYPE_CHECKING

from harness.checks.balancer.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.balancer.judging import judge_balancer

    return judge_balancer(reading, check)
