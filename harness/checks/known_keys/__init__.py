"""A fault of the service is never blamed on its users' keys."""

from typing import TYPE_CHECKING

from harness.checks.known_keys.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.known_keys.judging import judge_known_keys

    return judge_known_keys(reading, check)
