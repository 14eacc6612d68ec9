"""Who sends: lanes with an exchange of our own, or the users of a locustfile."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from harness.errors import ConfigurationError, LoadError
from harness.exchange import End, Outcome, Reading
from harness.load.address import resolve
from harness.load.answers import ClosedLoops, Conversations
from harness.load.locustfile import import_locustfile
from harness.load.only_allowed import OnlyAllowed
from harness.load.pool import MAX_LANES, Ledger, Pool
from harness.load.schedule import Layout
from harness.load.visitors import VisitorPool
from harness.load.wording import Wording
from harness.model.assignment import Assignment
from harness.model.objective import Quantity
from harness.model.plan import ArrivalProcess, ArrivalSegment, LocustfileReference, Plan

KEY_VARIABLE = "HARNESS_KEY"
"""Where a locustfile finds the key of the run's first user, if it wants one; set in the load worker only."""


class Asked(Protocol):
    """What was asked, for the exchanges that are kept."""

    def request_id(self, index: int) -> str:
        """Return the id that the arrival at this place of the schedule carries."""

    def request(self, index: int) -> bytes:
        """Return what the arrival at this place of the schedule sends."""


class Sender(Protocol):
    """Sends arrivals, and whatever follows from them."""

    @property
    def asked(self) -> Asked:
        """What each request says."""

    @property
    def in_flight(self) -> int:
        """How many arrivals are being worked at."""

    def warm(self, count: int) -> None:
        """Get ready for so many at once, before the start. Raises LoadError, ConfigurationError."""

    def start(self, zero_ns: int) -> None:
        """Fix the run's zero, on CLOCK_MONOTONIC."""

    def send(self, index: int) -> None:
        """Send an arrival. Returns at once."""

    def start_loops(self, segments: Sequence[ArrivalSegment]) -> None:
        """Start the users of every closed segment."""

    def ended(self, index: int, outcome: Outcome) -> None:
        """Take the end of any request: what waited for it can go on."""

    def ask_no_more(self) -> None:
        """Let nothing follow from an answer any more."""

    def cut_short(self, cut: End) -> None:
        """End what is in flight as cancelled."""


class Lanes:
    """The exchange of our own, with conversations and closed loops. Raises LoadError, ConfigurationError."""

    def __init__(
        self,
        plan: Plan,
        assignment: Assignment,
        layout: Layout,
        ledger: Ledger,
        *,
        added: Callable[[], None],
        keeps: Callable[[int], bool],
        now_ns: Callable[[], int],
        max_in_flight: int,
    ) -> None:
        address = resolve(assignment.base_url, assignment.allowed_hosts)
        is_closed = any(segment.process is ArrivalProcess.CLOSED for segment in plan.load.segments)
        self.asked = Wording(layout.schedule, assignment, host=address.host_header, run_id=plan.run_id, all_principals=is_closed)
        self._pool = pool = Pool(
            address=address,
            schedule=layout.schedule,
            wording=self.asked,
            reading=reading_of(plan),
            ledger=ledger,
            timeout_ns=plan.load.request_timeout_ns,
            max_lanes=max_in_flight,
            keeps=keeps,
        )
        self._conversations = Conversations(layout, self.asked, pool)
        self._loops = ClosedLoops(layout, pool, now_ns=now_ns, added=added)
        self.warm, self.start, self.send, self.cut_short = pool.warm, pool.start, pool.send, pool.cut_short
        self.start_loops = self._loops.start

    @property
    def in_flight(self) -> int:
        """How many requests are on their way."""
        return self._pool.in_flight

    def ended(self, index: int, outcome: Outcome) -> None:
        """Take the end of any request."""
        self._loops.ended(index)
        self._conversations.ended(index, outcome)

    def ask_no_more(self) -> None:
        """Let no turn and no loop go on."""
        self._loops.is_over = self._conversations.is_over = True


class Visitors:
    """The users of a locustfile. Raises LoadError, ConfigurationError."""

    def __init__(
        self,
        reference: LocustfileReference,
        plan: Plan,
        assignment: Assignment,
        layout: Layout,
        ledger: Ledger,
        *,
        added: Callable[[], None],
        keeps: Callable[[int], bool],
        max_in_flight: int,
    ) -> None:
        if assignment.workers != 1:
            raise LoadError("a locustfile runs in one load worker: its requests are numbered as they come")
        resolve(assignment.base_url, assignment.allowed_hosts)
        path = Path(reference.path)
        OnlyAllowed(assignment.allowed_hosts, lambda host: ledger.failed(refused(path, host)))
        os.environ[KEY_VARIABLE] = next(iter(assignment.keys.values()), "")
        self._pool = pool = VisitorPool(
            import_locustfile(path, reference.digest),
            layout=layout,
            plan=plan,
            assignment=assignment,
            reading=reading_of(plan),
            ledger=ledger,
            added=added,
            keeps=keeps,
            max_users=max_in_flight,
        )
        self.asked: Asked = pool
        self.warm, self.start, self.send, self.cut_short = pool.warm, pool.start, pool.send, pool.cut_short
        self.start_loops = pool.start_loops

    @property
    def in_flight(self) -> int:
        """How many users are at work."""
        return self._pool.in_flight

    def ended(self, index: int, outcome: Outcome) -> None:
        """Nothing waits for an answer but the task that asked."""

    def ask_no_more(self) -> None:
        """Users are told when they are cut short."""


def reading_of(plan: Plan) -> Reading:
    """Return how answers are read: what they say is looked at only where an objective is about it, as that takes time."""
    return Reading(plan.signals, digests=any(objective.quantity is Quantity.ORDER for objective in plan.objectives))


def refused(path: Path, host: str) -> ConfigurationError:
    """Return what is wrong with a locustfile that wants to connect to a host that nobody allowed."""
    return ConfigurationError(
        f"{path}: the locustfile connects to {host}, which is not on this machine",
        advice="load goes to loopback addresses, and to hosts that were allowed on the command line (--allow HOST)",
    )


def most_in_flight(assignment: Assignment) -> int:
    """Return how many requests of this worker may be in flight: its share of what somebody allowed, rounded down."""
    if assignment.max_in_flight is None:
        return MAX_LANES
    return max(1, min(MAX_LANES, assignment.max_in_flight // assignment.workers))
