"""Health endpoints tell the truth: a process that lives says so, one that cannot serve says that too."""

from typing import TYPE_CHECKING

from harness.checks.health.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.health.judging import judge_health

    return judge_health(reading, check)
