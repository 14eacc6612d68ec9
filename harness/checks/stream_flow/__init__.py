"""A streamed answer arrives as the model says it, not when it is complete."""

from typing import TYPE_CHECKING

from harness.checks.stream_flow.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.stream_flow.judging import judge_stream_flow

    return judge_stream_flow(reading, check)
