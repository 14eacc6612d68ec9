"""What a user says of a person, and the key that was shown, stand in no log, metric, error or audit entry."""

from typing import TYPE_CHECKING

from harness.checks.personal_data.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.personal_data.judging import judge_personal_data

    return judge_personal_data(reading, check)
