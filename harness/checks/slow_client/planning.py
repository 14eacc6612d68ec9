"""What the slow client check sends: some bodies byte by byte, so that each would take twice the bound, and greetings beside them.

One more body takes a second: to be slow is no offence, only to be too slow.
"""

from functools import partial

from harness.checks.planned import AT, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import MadePrincipal, Probe
from harness.model.units import parse_duration_ns

SLOW = 8
"""So many at once: a service that reads each of them in a thread or a connection of a small pool has none left for others."""
BESIDE = 6
LONGER_NS = 2 * S
"""How long the client waits beyond the bound: one that was let go late is told from one that was not."""
BODY = chat("Hello, is anybody there?")


class SlowClientPlanner:
    """The planning half of the check."""

    name: str = "slow client"
    title: str = "Who sends a body too slowly gets a typed 408 or a closed connection in time, and others are served meanwhile"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(
            name="within",
            type=str,
            doc="how long a body may be waited for at most, from its first byte: a duration",
            default="10s",
        ),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        within_ns = parse_duration_ns(values["within"])
        if within_ns < 2 * S:
            raise ValueError(f"`within` is {values['within']}; a client that takes less than 2s is not slow")
        t = start_of(values, phase, lasts_ns=within_ns + LONGER_NS)
        sender, other = f"slow-{check.id}", f"quick-{check.id}"
        send = partial(Probe, check_id=check.id, principal=sender, body=BODY)
        slow = partial(send, at_ns=t, timeout_ns=within_ns + LONGER_NS, body_every_ns=2 * within_ns // len(BODY))
        every_ns = (within_ns - S) // BESIDE
        return CheckSteps(
            probes=(
                *(slow(name=f"slow-{n}", lane=f"{check.id}-{n}") for n in range(SLOW)),
                send(name="unhurried", at_ns=t, body_every_ns=S // len(BODY), lane=f"{check.id}-unhurried"),
                Probe(
                    check_id=check.id,
                    name="beside",
                    at_ns=t + S // 2,
                    principal=other,
                    body=chat("Hello!"),
                    count=BESIDE,
                    every_ns=every_ns,
                ),
            ),
            principals=(MadePrincipal(name=sender), MadePrincipal(name=other)),
        )


PLANNER = SlowClientPlanner()
