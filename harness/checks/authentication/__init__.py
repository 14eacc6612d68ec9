"""Nobody is let in without a working key, and nobody sees what belongs to another tenant."""

from typing import TYPE_CHECKING

from harness.checks.authentication.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.authentication.judging import judge_authentication

    return judge_authentication(reading, check)
