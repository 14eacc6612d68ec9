"""What the stream flow check asks: nothing but the load is sent; the streams of the phase are held against their calls."""

from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck


class StreamFlowPlanner:
    """The planning half of the check."""

    name: str = "stream flow"
    title: str = "A streamed answer arrives over the time in which the model says it, not all at once at its end"
    settings: tuple[Parameter, ...] = (
        Parameter(
            name="at_least",
            type=float,
            doc="which share of the model's time the median stream must arrive over",
            low=0.01,
            high=1.0,
            default=0.5,
        ),
        Parameter(name="least", type=int, doc="streams that must have been seen", low=1, high=1_000_000, default=20),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:  # noqa: ARG002 - the same in every phase
        """Return no steps. Raises ValueError on a setting that is out of its range."""
        complete(self.settings, check.settings)
        return CheckSteps()


PLANNER = StreamFlowPlanner()
