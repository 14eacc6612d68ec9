"""What the dashboards check does: it has the queries of the panels told, and the rules that record what they ask for.

Beside the load it does what some panels need: a user rates an answer, another wants a person.
"""

import json
from functools import partial

from harness.checks.planned import AT, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import Action, MadePrincipal, Probe


class DashboardsPlanner:
    """The planning half of the check."""

    name: str = "dashboards"
    title: str = "Every panel of the dashboards has data by the end of the phase, by what was scraped in the run"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(name="empty", type=str, doc="panels that may have none, by their titles, parted by commas", default=""),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes and both actions. Raises ValueError on a setting out of range, or a phase too short."""
        t = start_of(complete(self.settings, check.settings), phase, lasts_ns=10 * S)
        rater = f"rater-{check.id}"
        act, ask = partial(Action, check_id=check.id, at_ns=t), partial(Probe, check_id=check.id, at_ns=t, principal=rater)
        return CheckSteps(
            probes=(
                ask(name="rated", path="/feedback", body=json.dumps({"score": 5, "request_id": "r"}), chat=False),
                ask(name="escalated", body=chat("I want to speak to a real person, please.")),
            ),
            actions=(act(name="rules", does="tell-alert-rules"), act(name="panels", does="tell-dashboards")),
            principals=(MadePrincipal(name=rater),),
            needs=frozenset({"metrics", "feedback"}),
        )


PLANNER = DashboardsPlanner()
