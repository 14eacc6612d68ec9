"""The oracle of every run: whatever is broken, nothing unguarded gets through."""

from typing import TYPE_CHECKING

from harness.checks.guard_bypass.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.guard_bypass.judging import judge_guard_bypass

    return judge_guard_bypass(reading, check)
