"""An instance that is told to end finishes what it has begun, and nobody's request is lost."""

from typing import TYPE_CHECKING

from harness.checks.drain.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.drain.judging import judge_drain

    return judge_drain(reading, check)
