"""What the health check asks: every instance's liveness and readiness twice a second, for the whole of a phase.

`ready: goes` is for a phase in which the service cannot serve, a store that is away say: alive all the time, and not
ready from `settles` after the beginning of the phase. `ready: stays` is for any other: ready once `settles` have passed.
"""

from functools import partial

from harness.checks.planned import MS, S
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import EVERY_INSTANCE, Probe
from harness.model.units import format_duration, parse_duration_ns

EVERY_NS = 500 * MS


class HealthPlanner:
    """The planning half of the check."""

    name: str = "health"
    title: str = "Liveness holds whatever hangs, and readiness says truly whether requests can be served"
    settings: tuple[Parameter, ...] = (
        Parameter(name="ready", type=str, doc="what readiness must say", default="stays", choices=("stays", "goes")),
        Parameter(name="settles", type=str, doc="how long it may take to say so: a duration", default="3s"),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        length_ns = phase.end_ns - phase.start_ns
        if parse_duration_ns(values["settles"]) + 2 * S > length_ns:
            raise ValueError(
                f"`settles` is {values['settles']}, and phase {phase.name!r} lasts {format_duration(length_ns)} only"
            )
        probe = partial(
            Probe,
            check_id=check.id,
            at_ns=phase.start_ns,
            count=length_ns // EVERY_NS,
            every_ns=EVERY_NS,
            method="GET",
            instance=EVERY_INSTANCE,
            chat=False,
            keep_bytes=400,
            timeout_ns=2 * S,
        )
        return CheckSteps(
            probes=(
                probe(name="live", path="@live", lane=f"{check.id}-live"),
                probe(name="ready", path="@ready", lane=f"{check.id}-ready"),
            ),
            needs=frozenset({"live", "ready"}),
        )


PLANNER = HealthPlanner()
