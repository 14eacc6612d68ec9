"""A feature is on for its share of the users, for the same ones each time, and ends at once."""

from typing import TYPE_CHECKING

from harness.checks.feature_flags.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.feature_flags.judging import judge_feature_flags

    return judge_feature_flags(reading, check)
