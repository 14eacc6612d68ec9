"""The alerts that a fault must raise are raised by what the service told of itself, and no others are."""

from typing import TYPE_CHECKING

from harness.checks.alerts.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.alerts.judging import judge_alerts

    return judge_alerts(reading, check)
