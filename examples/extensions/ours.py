"""A fault, a check and an objective of one's own. `docs/how-to/extend.md` walks through this file.

The fault: the store answers reads and lets every write wait (`CLIENT PAUSE ... WRITE`), as one does whose disk is slow.
"""

from harness.checks.evidence import Expectation, judge_table
from harness.errors import FaultError
from harness.extensions import CheckExtension, Counted, FaultExtension, ObjectiveExtension, Parameter
from harness.faults.guardian.undo import StoreStep
from harness.faults.resp import Store
from harness.model.check import CheckSteps
from harness.model.fault import Acted, ActedBy
from harness.model.probe import EVERY_INSTANCE, Probe

S = 1_000_000_000
PROBE = "write-pause-probe"


class WritePause:
    """Applies the fault and takes it away, over connections of its own that pass every link by."""

    def __init__(self, landscape):
        self.dependencies = landscape.dependencies
        self.paused = {}
        self.own = {}
        self.waiting = {}

    def open(self, fault, timeout_s=1.0):
        """A connection to the store itself, past every link."""
        at = self.dependencies[fault.at]
        if at.kind != "redis":
            raise FaultError(f"{fault.at} is a {at.kind}; only a Redis or Valkey pauses its writes")
        return Store(at.address, at.password, timeout_s=timeout_s)

    def undo_steps(self, fault):
        """What the guardian does if this process is killed. The password goes over its pipe, never to the disk."""
        at = self.dependencies[fault.at]
        return (StoreStep(address=at.address, password=at.password, commands=(("CLIENT", "UNPAUSE"),)),)

    def apply(self, fault):
        """Pause every client's writes."""
        with self.open(fault) as store:
            store.call("CLIENT", "PAUSE", int(fault.parameters.get("lease_ms", 10_000)), "WRITE")
        self.paused[fault.id] = fault

    def confirm(self, fault):
        """Seen from outside: a read is answered, and a write of our own is not."""
        with self.open(fault, timeout_s=0.3) as store:
            store.call("GET", PROBE)
            self.own[fault.id] = self.own.get(fault.id, 0) + 1  # the server still counts it as one that waits: it is no user
            try:
                store.call("SET", PROBE, "there", "PX", 1000)
            except FaultError:
                return
        raise FaultError(f"{fault.id}: {fault.at} still takes writes")

    def in_force(self, fault):
        """Whether the server still says so; one too old to say is believed."""
        with self.open(fault) as store:
            return store.info("clients").get("paused_actions", "write") == "write"

    def clear(self, fault):
        """Let them go on, and count who waited."""
        if self.paused.pop(fault.id, None) is None:
            return  # never applied: there is nothing to undo
        with self.open(fault) as store:
            self.waiting[fault.id] = int(store.info("clients").get("blocked_clients", 0)) - self.own.pop(fault.id, 0)
            store.call("CLIENT", "UNPAUSE")

    def prove_clear(self, fault):
        """Seen from outside: a write of our own is taken."""
        with self.open(fault) as store:
            store.call("SET", PROBE, "there", "PX", 1000)

    def acted(self, fault):
        """How many clients waited when it ended. Nobody then is no proof that nobody did: that is None, never 0."""
        waiting = self.waiting.pop(fault.id, 0)
        return Acted(by=ActedBy.TARGET, count=waiting if waiting > 0 else None)

    def renew(self, lease_s):
        """The pause is a lease that the server itself keeps; one of a longer time goes before one of a shorter."""
        for fault in list(self.paused.values()):
            with self.open(fault) as store:
                store.call("CLIENT", "PAUSE", int(lease_s * 1000), "WRITE")

    def release(self):
        """Nothing to end: `clear` has taken away every pause."""


WRITE_PAUSE = FaultExtension(
    kind="write_pause",
    title="The store answers reads and lets every write wait",
    places=("dependencies.*",),
    parameters=(
        Parameter(
            name="lease_ms",
            type=int,
            doc="the server ends it by itself after so long",
            unit="ms",
            low=1000,
            high=60_000,
            default=10_000,
        ),
    ),
    backend=WritePause,
)


def ask_live(check, phase):
    """Ask every instance once a second whether it lives."""
    return CheckSteps(
        probes=(
            Probe(
                check_id=check.id,
                name="live",
                at_ns=phase.start_ns,
                count=(phase.end_ns - phase.start_ns) // S,
                every_ns=S,
                method="GET",
                path="@live",
                instance=EVERY_INSTANCE,
                chat=False,
                timeout_ns=int(check.settings.get("within_ms", 1000)) * 1_000_000,
            ),
        ),
        needs=frozenset({"live"}),
    )


def judge_live(reading, check):
    """Every answer must be a 200; a question without an answer is told, and is no pass."""
    lives = Expectation(
        name="live", says="an instance that waits for its store lives", holds=lambda record: record.status_code == 200
    )
    return judge_table(reading, check, [lives], what="alive beside a slow store", cannot_look=())


ALIVE = CheckExtension(
    name="alive beside a slow store",
    title="Liveness is answered while the store lets writes wait",
    settings=(
        Parameter(name="within_ms", type=int, doc="how long an answer may take", unit="ms", low=1, high=6000, default=1000),
    ),
    plan=ask_live,
    judge=judge_live,
)


def count_short(reading):
    """Of the answers that say how long they are: those of less than five tokens."""
    tokens = reading.requests.columns.floats("completion_tokens")
    return Counted(whole=reading.requests.answered & (tokens >= 0), hits=tokens < 5)


SHORT = ObjectiveExtension(name="short answers", title="were answered in less than five tokens", share=count_short)
