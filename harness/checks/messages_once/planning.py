"""What the messages check sends: messages with a key of their own, each sent twice, and asked after until answered."""

from functools import partial

from harness.checks.planned import AT, MS, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import MadePrincipal, Probe, Until

POLLS = 5


class MessagesOncePlanner:
    """The planning half of the check."""

    name: str = "messages once"
    title: str = "A message is taken at once, answered once and paid for once, sent twice or not"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(name="messages", type=int, doc="messages, each of a user of its own", low=1, high=100, default=6),
        Parameter(name="within", type=str, doc="how long an answer may take: a duration", default="10s"),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes. Raises ValueError on a setting out of range, or a phase too short."""
        from harness.model.units import parse_duration_ns

        values = complete(self.settings, check.settings)
        messages, within_ns = int(values["messages"]), parse_duration_ns(values["within"])
        t = start_of(values, phase, lasts_ns=S)
        probes: list[Probe] = []
        for n in range(messages):
            lane, at_ns = f"{check.id}-{n}", t + n * 300 * MS
            probe = partial(Probe, check_id=check.id, principal=f"sender-{check.id}-{n}", lane=lane, chat=False)
            send = partial(
                probe,
                path="/message",
                body=chat(f"Explain step {n} of the plan for the delivery to customer {check.id} in full."),
                headers={"idempotency-key": f"{check.id}-{n}"},
            )
            probes += [
                send(name=f"send-{n}", at_ns=at_ns),
                send(name=f"again-{n}", at_ns=at_ns + 50 * MS),
                probe(
                    name=f"fetch-{n}",
                    at_ns=at_ns + within_ns // POLLS,
                    method="GET",
                    path=f"/message/${{send-{n}:$.id}}",
                    count=POLLS,
                    every_ns=within_ns // POLLS,
                    until=Until(path="$.status", equals="done"),
                ),
            ]
        return CheckSteps(
            probes=tuple(probes),
            principals=tuple(MadePrincipal(name=f"sender-{check.id}-{n}") for n in range(messages)),
            needs=frozenset({"messages"}),
        )


PLANNER = MessagesOncePlanner()
