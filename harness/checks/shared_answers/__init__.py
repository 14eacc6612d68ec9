"""Is the answer to one user's question given to another who asks the same? By the provider's records alone."""

from typing import TYPE_CHECKING

from harness.checks.shared_answers.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.shared_answers.judging import judge_shared_answers

    return judge_shared_answers(reading, check)
