"""Every panel of every dashboard has something to show, by what was scraped in the run."""

from typing import TYPE_CHECKING

from harness.checks.dashboards.planning import PLANNER
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

__all__ = ["PLANNER", "judge"]


def judge(reading: "Reading", check: PlannedCheck) -> Judgement:
    """Return the judgement of one use of the check, from the run directory alone. Raises RunDirectoryError."""
    from harness.checks.dashboards.judging import judge_dashboards

    return judge_dashboards(reading, check)
