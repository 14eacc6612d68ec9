"""A question is answered from the document that it is about, and never from another tenant's."""

from typing import TYPE_CHECKING

from harness.checks.retrieval.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.retrieval.judging import judge_retrieval

    return judge_retrieval(reading, check)
