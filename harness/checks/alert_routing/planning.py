"""What the alert routing check does: it has the service's alert rules told, and the routes to receivers; nothing is sent."""

from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import Action


class AlertRoutingPlanner:
    """The planning half of the check."""

    name: str = "alert routing"
    title: str = "Each alert reaches who answers for its severity, by the service's own Alertmanager configuration"
    settings: tuple[Parameter, ...] = (
        Parameter(
            name="critical",
            type=str,
            doc="the receivers of which a critical alert reaches one and a warning none, parted by commas",
            default="page",
        ),
        Parameter(
            name="warning", type=str, doc="the receivers of which a warning reaches one, parted by commas", default="slack, email"
        ),
        Parameter(name="escalated", type=str, doc="alerts that reach `escalation` too, parted by commas", default=""),
        Parameter(name="escalation", type=str, doc="the receiver of alerts that are escalated", default="escalation"),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the two actions. Raises ValueError on a setting of another type."""
        complete(self.settings, check.settings)
        return CheckSteps(
            actions=(
                Action(check_id=check.id, name="rules", at_ns=phase.start_ns, does="tell-alert-rules"),
                Action(check_id=check.id, name="routing", at_ns=phase.start_ns, does="tell-alert-routing"),
            )
        )


PLANNER = AlertRoutingPlanner()
