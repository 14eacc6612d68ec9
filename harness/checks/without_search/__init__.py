"""Questions are answered while the search fails: without their documents, marked, and not kept."""

from typing import TYPE_CHECKING

from harness.checks.without_search.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.without_search.judging import judge_without_search

    return judge_without_search(reading, check)
