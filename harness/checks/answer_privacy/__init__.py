"""Personal data and secrets that a model gives away do not reach a user who did not say them."""

from typing import TYPE_CHECKING

from harness.checks.answer_privacy.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.answer_privacy.judging import judge_answer_privacy

    return judge_answer_privacy(reading, check)
