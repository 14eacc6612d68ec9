"""What the breaker check asks: each instance a small question a second, for the whole of a phase, by many users.

`circuit: opens` is for a phase in which the provider fails; `circuit: closes` for the recovery after it. `probes` is for
a provider that can still be reached: its records tell how many at once tried whether it is back. `half_open` is for a phase
that is long enough for such tries, and asks that each instance says so of its circuit meanwhile.
"""

from functools import partial

from harness.checks.planned import MS, S, chat
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import EVERY_INSTANCE, MadePrincipal, Probe
from harness.model.units import format_duration, parse_duration_ns

EVERY_NS = 1000 * MS
EACH_USER = 4
"""Questions of one user, to two instances each: below ten requests a minute."""


class BreakerPlanner:
    """The planning half of the check."""

    name: str = "breaker"
    title: str = "The circuit opens on a failing provider, and closes once it is back, on every instance"
    settings: tuple[Parameter, ...] = (
        Parameter(name="circuit", type=str, doc="what it must do in the phase", default="opens", choices=("opens", "closes")),
        Parameter(name="settles", type=str, doc="how long that may take: a duration", default="6s"),
        Parameter(
            name="probes",
            type=int,
            doc="once that is over, how many calls of each instance may be under way at the primary model; 0: any",
            default=0,
        ),
        Parameter(
            name="half_open",
            type=bool,
            doc="once it has opened, each instance must call it half-open now and then, and not closed",
            default=False,
        ),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        if int(values["probes"]) < 0:
            raise ValueError(f"`probes` is {values['probes']}; it must be 0 or more")
        if values["probes"] and values["circuit"] != "opens":
            raise ValueError("`probes` bounds who tries whether a model is back, and needs `circuit: opens`")
        if values["half_open"] and values["circuit"] != "opens":
            raise ValueError("`half_open` is what a circuit is after it has opened, and needs `circuit: opens`")
        length_ns = phase.end_ns - phase.start_ns
        if parse_duration_ns(values["settles"]) + 3 * S > length_ns:
            raise ValueError(
                f"`settles` is {values['settles']}, and phase {phase.name!r} lasts {format_duration(length_ns)} only"
            )
        count = length_ns // EVERY_NS
        names = [f"tester-{check.id}-{n}" for n in range(-(-count // EACH_USER))]
        return CheckSteps(
            probes=tuple(
                partial(Probe, check_id=check.id)(
                    name=f"asked-{n}",
                    at_ns=phase.start_ns + n * EVERY_NS,
                    principal=names[n // EACH_USER],
                    body=chat(f"Explain item {n} of list {check.id}.", model="sim-large", max_tokens=16),
                    instance=EVERY_INSTANCE,
                    keep_bytes=300,
                )
                for n in range(count)
            ),
            principals=tuple(MadePrincipal(name=name) for name in names),
        )


PLANNER = BreakerPlanner()
