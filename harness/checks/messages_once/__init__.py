"""A message is taken at once, answered once, and paid for once."""

from typing import TYPE_CHECKING

from harness.checks.messages_once.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.messages_once.judging import judge_messages_once

    return judge_messages_once(reading, check)
