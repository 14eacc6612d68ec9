"""Who waits for a connection to a database that does not answer is told soon."""

from typing import TYPE_CHECKING

from harness.checks.connect_limit.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.connect_limit.judging import judge_connect_limit

    return judge_connect_limit(reading, check)
