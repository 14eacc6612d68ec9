"""Each alert that the rules define reaches who answers for its severity, by the routes of Alertmanager."""

from typing import TYPE_CHECKING

from harness.checks.alert_routing.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.alert_routing.judging import judge_alert_routing

    return judge_alert_routing(reading, check)
