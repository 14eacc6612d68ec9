"""Every metric that operators hold on to is exposed with its labels, and every key figure is recorded and has a number."""

from typing import TYPE_CHECKING

from harness.checks.metric_names.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.metric_names.judging import judge_metric_names

    return judge_metric_names(reading, check)
