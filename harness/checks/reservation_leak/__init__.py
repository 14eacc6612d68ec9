"""A user who leaves in the middle of an answer is not refused later for money that was only held."""

from typing import TYPE_CHECKING

from harness.checks.reservation_leak.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.reservation_leak.judging import judge_reservation_leak

    return judge_reservation_leak(reading, check)
