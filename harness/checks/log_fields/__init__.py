"""What the service writes of a request has every field that is asked for, with the value that others know to be right."""

from typing import TYPE_CHECKING

from harness.checks.log_fields.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.log_fields.judging import judge_log_fields

    return judge_log_fields(reading, check)
