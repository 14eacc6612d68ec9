"""A good version gets all of the traffic step by step, and a bad one is taken back at its first step."""

from typing import TYPE_CHECKING

from harness.checks.canary_release.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.canary_release.judging import judge_canary_release

    return judge_canary_release(reading, check)
