"""No key stands in what is kept of a run."""

from typing import TYPE_CHECKING

from harness.checks.kept_keys.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.kept_keys.judging import judge_kept_keys

    return judge_kept_keys(reading, check)
