"""What the retry after check asks: nothing but the load is sent; the provider's records are the witness.

The phase has a `status` fault with a `retry_after` of seconds. Each instance hears of it by itself, and what was under way
then cannot be called back: so a second is given from the first refusal on, and one call beyond it to each instance.
"""

from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck


class RetryAfterPlanner:
    """The planning half of the check."""

    name: str = "retry after"
    title: str = "A provider that says when to come back is not asked before, by its own records"
    settings: tuple[Parameter, ...] = (
        Parameter(name="endpoint", type=str, doc="whose calls are counted", default="primary", choices=("primary", "secondary")),
        Parameter(name="instances", type=int, doc="how many hear of it, each by itself", low=1, high=1000, default=2),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:  # noqa: ARG002 - the same in every phase
        """Return no steps. Raises ValueError on a setting that is out of its range."""
        complete(self.settings, check.settings)
        return CheckSteps()


PLANNER = RetryAfterPlanner()
