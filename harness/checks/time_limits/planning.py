"""What the time limits check asks: nothing but the load is sent; every request of the phase is looked at."""

from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.units import parse_duration_ns


class TimeLimitsPlanner:
    """The planning half of the check."""

    name: str = "time limits"
    title: str = "No request of the phase waits longer than allowed, answered or not"
    settings: tuple[Parameter, ...] = (
        Parameter(name="within", type=str, doc="how long any request may take: a duration", default="6s"),
        Parameter(name="least", type=int, doc="requests that must have been seen", low=1, high=1_000_000, default=20),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:  # noqa: ARG002 - the same in every phase
        """Return no steps. Raises ValueError on a setting that is out of its range."""
        values = complete(self.settings, check.settings)
        if parse_duration_ns(values["within"]) <= 0:
            raise ValueError(f"`within` is {values['within']}; it must be more than nought")
        return CheckSteps()


PLANNER = TimeLimitsPlanner()
