"""What the alerts check does: it has the service's own alert rules told, and nothing else; the scrapes of the run are its series.

Rules wait for minutes and look back over minutes, and a run has seconds. So the scrapes are laid out as if a minute lay between
two of them, which are five seconds apart: rules are then asked about the run as it would have been at a twelfth of its speed.
Shares and quantiles are the same at any speed; what counts for a day is not judged.
"""

from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import Action


class AlertsPlanner:
    """The planning half of the check."""

    name: str = "alerts"
    title: str = "The alerts that must fire by the end of the phase do, by what was scraped in the run, and the others are silent"
    settings: tuple[Parameter, ...] = (
        Parameter(name="fires", type=str, doc="the alerts that must fire, parted by commas; empty for none", default=""),
        Parameter(name="may", type=str, doc="alerts that may fire beside them, parted by commas", default=""),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the one action. Raises ValueError on a setting of another type."""
        complete(self.settings, check.settings)
        rules = Action(check_id=check.id, name="rules", at_ns=phase.start_ns, does="tell-alert-rules")
        return CheckSteps(actions=(rules,), needs=frozenset({"metrics"}))


PLANNER = AlertsPlanner()


def named(value: object) -> tuple[str, ...]:
    """Return the names in a setting."""
    return tuple(part.strip() for part in str(value).split(",") if part.strip())
