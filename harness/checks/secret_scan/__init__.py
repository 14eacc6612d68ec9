"""No key stands in the code of the service, nor in anything that was ever committed to it."""

from typing import TYPE_CHECKING

from harness.checks.secret_scan.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.secret_scan.judging import judge_secret_scan

    return judge_secret_scan(reading, check)
