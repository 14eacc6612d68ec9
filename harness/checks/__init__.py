"""Behaviour checks by name: how each is put on the timeline, and how it is judged.

Planning imports nothing but nouns; a judge is loaded when it is called.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from harness.checks import budget_cap, rate_limit, retry_amplification
from harness.model.check import CheckPlanner
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

CheckJudge = Callable[["Reading", PlannedCheck], Judgement]

CHECKS: Mapping[str, tuple[CheckPlanner, CheckJudge]] = {
    budget_cap.PLANNER.name: (budget_cap.PLANNER, budget_cap.judge),
    rate_limit.PLANNER.name: (rate_limit.PLANNER, rate_limit.judge),
    retry_amplification.PLANNER.name: (retry_amplification.PLANNER, retry_amplification.judge),
}

PLANNERS: Mapping[str, CheckPlanner] = {name: planner for name, (planner, _) in CHECKS.items()}

__all__ = ["CHECKS", "PLANNERS", "CheckJudge"]
