"""Simple questions go to the cheap model, hard ones to the large one, and no answer is longer than it may be."""

from typing import TYPE_CHECKING

from harness.checks.model_choice.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.model_choice.judging import judge_model_choice

    return judge_model_choice(reading, check)
