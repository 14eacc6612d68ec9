"""What the server counts check sends: it reads every instance's metrics twice, a stretch of ordinary load between them."""

from functools import partial

from harness.checks.planned import AT, S, reading_of_metrics, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.units import parse_duration_ns


class ServerCountsPlanner:
    """The planning half of the check."""

    name: str = "server counts"
    title: str = "The service counts as many requests, of the same statuses and durations, as its clients saw"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(name="for", type=str, doc="how long between both readings: a duration", default="8s"),
        Parameter(name="route", type=str, doc="the label of the route that load goes to", default="/v1/chat/completions"),
        Parameter(
            name="metric", type=str, doc="a histogram of request durations in seconds", default="http_request_duration_seconds"
        ),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the two readings. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        length_ns = parse_duration_ns(values["for"])
        if length_ns < S:
            raise ValueError(f"`for` is {values['for']}; two readings less than 1s apart tell nothing")
        t = start_of(values, phase, lasts_ns=length_ns)
        read = partial(reading_of_metrics, check)
        return CheckSteps(
            probes=(read(name="first", at_ns=t), read(name="last", at_ns=t + length_ns)), needs=frozenset({"metrics"})
        )


PLANNER = ServerCountsPlanner()
