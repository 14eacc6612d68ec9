"""What was said for want of a model is not said again once there is one."""

from typing import TYPE_CHECKING

from harness.checks.polite_answers.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.polite_answers.judging import judge_polite_answers

    return judge_polite_answers(reading, check)
