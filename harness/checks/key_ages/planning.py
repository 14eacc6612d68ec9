"""What the key ages check does: it has the ages of all keys told that work."""

from harness.checks.planned import AT, S, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import Action

TELL = "tell"


class KeyAgesPlanner:
    """The planning half of the check."""

    name: str = "key ages"
    title: str = "No key that works is older than a month, by what the service's operators see"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(name="days", type=float, doc="how old a key may become, in days", low=0, high=3660, default=31.0),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the one action. Raises ValueError on a setting out of range, or a phase too short."""
        t = start_of(complete(self.settings, check.settings), phase, lasts_ns=S)
        return CheckSteps(actions=(Action(check_id=check.id, name=TELL, at_ns=t, does="tell-key-ages"),))


PLANNER = KeyAgesPlanner()
