"""What the backup check does: a message is answered, a backup is made, another message is sent, and the backup put back.

The first message must be there afterwards, the second must not: that one is gone shows that something was put back at
all. What came after the backup is what is lost, and how long the service was without its database is what it costs. A wish
for a person and a score go before the backup too: their rows are counted after it. And the first message holds a made-up
name that must not stand in the backup in clear, nor may the service's own secrets. Beside the new backup lies one that calls
itself 31 days old: where those are to be thrown away after 30, it must be gone.
"""

import hashlib
import json
from functools import partial

from harness.checks.planned import AT, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import Action, MadePrincipal, Probe, Until
from harness.model.units import parse_duration_ns


def canary_of(check_id: str) -> str:
    """Return a name that stands nowhere else."""
    return f"heron{hashlib.sha256(check_id.encode()).hexdigest()[:12]}"


class BackupPlanner:
    """The planning half of the check."""

    name: str = "backup"
    title: str = "A backup is made and put back under load; recovery point and recovery time are measured"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(name="restored", type=str, doc="how long the restore may take: a duration", default="20s"),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes and both actions. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        parse_duration_ns(values["restored"])
        t = start_of(values, phase, lasts_ns=12 * S)
        keeper, canary, aside = f"keeper-{check.id}", canary_of(check.id), f"{check.id}-aside"
        probe = partial(Probe, check_id=check.id, principal=keeper, chat=False)
        send = partial(probe, path="/message")
        fetch = partial(probe, method="GET", timeout_ns=4 * S)
        after = partial(fetch, at_ns=t + 8 * S, after="restore", after_ns=2 * S)
        act = partial(Action, check_id=check.id)
        return CheckSteps(
            probes=(
                send(name="kept", at_ns=t, body=chat(f"Explain the first step of {canary}, please.")),
                probe(name="escalated", at_ns=t, chat=True, body=chat("I want to speak to a real person, please."), lane=aside),
                probe(name="rated", at_ns=t, path="/feedback", body=json.dumps({"score": 5, "request_id": "r"}), lane=aside),
                fetch(
                    name="kept-answered",
                    at_ns=t + S,
                    path="/message/${kept:$.id}",
                    count=4,
                    every_ns=S // 2,
                    until=Until(path="$.status", equals="done"),
                ),
                send(name="lost", at_ns=t + 5 * S, after="back-up", body=chat("Explain the second step of the plan, please.")),
                after(name="kept-after", path="/message/${kept:$.id}"),
                after(name="lost-after", path="/message/${lost:$.id}"),
                after(name="served-after", path=None, method="POST", chat=True, body=chat("Hello!")),
            ),
            actions=(
                act(name="back-up", at_ns=t + 4 * S, does="back-up", arguments={"canary": canary}),
                act(name="restore", at_ns=t + 7 * S, does="restore"),
            ),
            principals=(MadePrincipal(name=keeper),),
            needs=frozenset({"messages"}),
        )


PLANNER = BackupPlanner()
