"""What the secret scan does: it has the code of the service looked through, and its history where there is one."""

from harness.checks.planned import AT, S, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import Action

SCAN = "scan"
HISTORY = "history"
"""The capability of a target whose code is a checkout with its history."""


class SecretScanPlanner:
    """The planning half of the check."""

    name: str = "secret scan"
    title: str = "No key stands in the service's code, nor in anything that was ever committed"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(name="history", type=bool, doc="whether every commit is looked through, beside the files", default=True),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the one action. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        t = start_of(values, phase, lasts_ns=S // 2)
        action = Action(check_id=check.id, name=SCAN, at_ns=t, does="scan-for-secrets")
        return CheckSteps(actions=(action,), needs=frozenset({HISTORY} if values["history"] else ()))


PLANNER = SecretScanPlanner()
