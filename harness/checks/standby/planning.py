"""What the standby check does: the operators' own program is told to promote a standby, beside a primary that works.

Two databases that both take settlements are both wrong. The standby is made up and belongs to the harness, which counts what
it is asked; the primary is the target's database, which works before and after. Then the same beside a primary that is gone:
a program that never promotes anybody keeps the first promise too.
"""

from harness.checks.planned import AT, S, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import Action

PROMOTE = "promote"
LASTS_NS = 5 * S


class StandbyPlanner:
    """The planning half of the check."""

    name: str = "standby"
    title: str = "A standby is promoted once its primary is gone, and never beside one that works"
    settings: tuple[Parameter, ...] = (AT,)

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the one action. Raises ValueError on a setting out of range, or a phase too short."""
        t = start_of(complete(self.settings, check.settings), phase, lasts_ns=LASTS_NS)
        return CheckSteps(actions=(Action(check_id=check.id, name=PROMOTE, at_ns=t, does="promote-standby"),))


PLANNER = StandbyPlanner()
