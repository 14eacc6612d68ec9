"""The service's own counts agree with what the clients saw."""

from typing import TYPE_CHECKING

from harness.checks.server_counts.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.server_counts.judging import judge_server_counts

    return judge_server_counts(reading, check)
