"""Who tries again waits first, and not all the same time, by the provider's own records."""

from typing import TYPE_CHECKING

from harness.checks.retry_backoff.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.retry_backoff.judging import judge_retry_backoff

    return judge_retry_backoff(reading, check)
