"""A body that does not come is not waited for, and nobody else waits behind it."""

from typing import TYPE_CHECKING

from harness.checks.slow_client.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.slow_client.judging import judge_slow_client

    return judge_slow_client(reading, check)
