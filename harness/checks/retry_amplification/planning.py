"""What the retry amplification check asks: nothing but the load is sent; the provider's records are the witness."""

from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck


class RetryAmplificationPlanner:
    """The planning half of the check."""

    name: str = "retry amplification"
    title: str = "A failing provider is not stormed with retries, by its own records"
    settings: tuple[Parameter, ...] = (
        Parameter(name="endpoint", type=str, doc="whose calls are counted", default="primary", choices=("primary", "secondary")),
        Parameter(
            name="at_most", type=float, doc="calls for each request that reached it, on average", low=1, high=100, default=1.3
        ),
        Parameter(name="for_one", type=int, doc="calls that any one request may cause there", low=1, high=100, default=2),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:  # noqa: ARG002 - the same in every phase
        """Return no steps. Raises ValueError on a setting that is out of its range."""
        complete(self.settings, check.settings)
        return CheckSteps()


PLANNER = RetryAmplificationPlanner()
