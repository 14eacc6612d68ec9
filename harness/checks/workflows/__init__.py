"""Greeting and FAQ, a knowledge question, a wish for a person and a rating: each workflow does its own work."""

from typing import TYPE_CHECKING

from harness.checks.workflows.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.workflows.judging import judge_workflows

    return judge_workflows(reading, check)
