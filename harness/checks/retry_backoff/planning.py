"""What the retry backoff check asks: nothing but the load is sent; when each try of a request came the provider tells."""

from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.units import parse_duration_ns


class RetryBackoffPlanner:
    """The planning half of the check."""

    name: str = "retry backoff"
    title: str = "A request that is tried again waits first, longer each time, and no two wait the same time"
    settings: tuple[Parameter, ...] = (
        Parameter(
            name="endpoint", type=str, doc="whose calls are looked at", default="primary", choices=("primary", "secondary")
        ),
        Parameter(name="at_least", type=str, doc="what half of the waits must reach: a duration", default="20ms"),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:  # noqa: ARG002 - the same in every phase
        """Return no steps. Raises ValueError on a setting that is out of its range."""
        parse_duration_ns(complete(self.settings, check.settings)["at_least"])
        return CheckSteps()


PLANNER = RetryBackoffPlanner()
