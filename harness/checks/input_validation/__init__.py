"""What is no question is refused with a typed error, an injection by its rule, and a look-alike is answered."""

from typing import TYPE_CHECKING

from harness.checks.input_validation.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.input_validation.judging import judge_input_validation

    return judge_input_validation(reading, check)
