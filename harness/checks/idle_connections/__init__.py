"""A connection that nobody uses is given back to the database."""

from typing import TYPE_CHECKING

from harness.checks.idle_connections.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.idle_connections.judging import judge_idle_connections

    return judge_idle_connections(reading, check)
