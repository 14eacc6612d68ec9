"""Golden questions get the intent, the document and the answer that a person gave them as labels."""

from typing import TYPE_CHECKING

from harness.checks.quality.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.quality.judging import judge_quality

    return judge_quality(reading, check)
