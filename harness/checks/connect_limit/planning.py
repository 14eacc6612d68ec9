"""What the connect limit check asks: nothing but the load is sent, in a phase in which the database does not answer.

What waits for a statement gives up sooner, so that who was told to come back after about the limit had waited for a
connection. `database` names the place of the fault: only who began while it was in force is looked at.
"""

from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.units import parse_duration_ns


class ConnectLimitPlanner:
    """The planning half of the check."""

    name: str = "connect limit"
    title: str = "Connecting to a database that does not answer is given up in time"
    settings: tuple[Parameter, ...] = (
        Parameter(name="database", type=str, doc="the place of the fault that holds the database", default="processes.postgres"),
        Parameter(name="within", type=str, doc="when connecting is to be given up: a duration", default="2s"),
        Parameter(name="slack", type=str, doc="how much longer a request may take: a duration", default="1s"),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:  # noqa: ARG002 - the same in every phase
        """Return no steps. Raises ValueError on a setting that is out of its range."""
        values = complete(self.settings, check.settings)
        within_ns, slack_ns = parse_duration_ns(values["within"]), parse_duration_ns(values["slack"])
        if not 0 < slack_ns < within_ns:
            raise ValueError(
                f"`slack` is {values['slack']}; it must be more than nought and less than `within`, {values['within']}"
            )
        return CheckSteps()


PLANNER = ConnectLimitPlanner()
