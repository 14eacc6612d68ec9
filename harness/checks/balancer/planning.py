"""What the balancer check does: it has the operators' own balancer asked, with an instance that dies and with none ready.

Load goes through a balancer of the harness, which an operators' mistake does not reach. So theirs is started beside it,
before made-up instances: each takes a request whole and then dies with it. Whether the balancer sends it to the next one is
counted there, because the client sees one answer either way, and the provider two bills.
"""

from harness.checks.planned import AT, S, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import Action

ASK = "ask"
LASTS_NS = 6 * S


class BalancerPlanner:
    """The planning half of the check."""

    name: str = "balancer"
    title: str = "The operators' balancer sends no request twice, and what it says by itself can be read"
    settings: tuple[Parameter, ...] = (AT,)

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the one action. Raises ValueError on a setting out of range, or a phase too short."""
        t = start_of(complete(self.settings, check.settings), phase, lasts_ns=LASTS_NS)
        return CheckSteps(actions=(Action(check_id=check.id, name=ASK, at_ns=t, does="ask-balancer"),))


PLANNER = BalancerPlanner()
