"""An instance holds no more connections to its database than it may, whatever is asked of it at once."""

from typing import TYPE_CHECKING

from harness.checks.connection_limit.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.connection_limit.judging import judge_connection_limit

    return judge_connection_limit(reading, check)
