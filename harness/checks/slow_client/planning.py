"""What the slow client check sends: bodies and heads byte by byte, each to take twice the bound, and greetings beside them.

One more body and one more head take a second: to be slow is no offence, only to be too slow.
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
SLOW_HEADS = 4
"""Whoever has read no head knows no user and no limit: it is the connection alone that is held."""
BESIDE = 6
LONGER_NS = 2 * S
"""How long the client waits beyond the bound: one that was let go late is told from one that was not."""
BODY = chat("Hello, is anybody there?")


class SlowClientPlanner:
    """The planning half of the check."""

    name: str = "slow client"
    title: str = (
        "Who sends a body or its head too slowly is let go in time, a slow body with a typed 408, and others are served meanwhile"
    )
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(
            name="within",
            type=str,
            doc="how long a head, and how long a body, may be waited for at most, each from its first byte: a duration",
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
        slow = partial(send, at_ns=t, timeout_ns=within_ns + LONGER_NS)
        body_every_ns = 2 * within_ns // len(BODY)
        every_ns = (within_ns - S) // BESIDE
        return CheckSteps(
            probes=(
                *(slow(name=f"slow-{n}", body_every_ns=body_every_ns, lane=f"{check.id}-{n}") for n in range(SLOW)),
                *(
                    slow(name=f"slow-head-{n}", head_takes_ns=2 * within_ns, lane=f"{check.id}-head-{n}")
                    for n in range(SLOW_HEADS)
                ),
                send(name="unhurried", at_ns=t, body_every_ns=S // len(BODY), lane=f"{check.id}-unhurried"),
                send(name="unhurried-head", at_ns=t, principal=other, head_takes_ns=S, lane=f"{check.id}-unhurried-head"),
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
