"""A standby is promoted once its primary is gone, and never beside one that works."""

from typing import TYPE_CHECKING

from harness.checks.standby.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.standby.judging import judge_standby

    return judge_standby(reading, check)
