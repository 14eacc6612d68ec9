"""Lanes that send: each a warm connection, handed one arrival at a time."""

import time
from collections.abc import Callable
from typing import Protocol

import gevent

from harness.errors import HarnessError, LoadError
from harness.exchange import End, Outcome, Reading, never_answered
from harness.load.address import Address
from harness.load.deadlines import Deadlines
from harness.load.lane import Lane
from harness.load.schedule import Schedule
from harness.load.wording import Wording
from harness.model.error_kind import ErrorKind

MAX_LANES = 4_000


class Ledger(Protocol):
    """Where the pool tells what became of each arrival. Called on the loop itself: nothing in it may wait."""

    def started(self, index: int, started_ns: int) -> None:
        """The request of this arrival is going out."""

    def ended(self, index: int, outcome: Outcome, started_ns: int | None, pool_wait_ns: int | None) -> None:
        """The arrival has its outcome; told exactly once for each."""

    def due(self, count: int) -> None:
        """So many arrivals have fallen due."""

    def broke(self, error: Exception) -> None:
        """The worker has a bug."""

    def failed(self, error: HarnessError) -> None:
        """The worker cannot go on."""


class Pool:
    """The lanes of one worker. Never makes the dispatcher wait: it grows, and beyond `max_lanes` an arrival is unsent.

    keeps: whether the whole answer of an arrival is wanted.
    """

    def __init__(
        self,
        *,
        address: Address,
        schedule: Schedule,
        wording: Wording,
        reading: Reading,
        ledger: Ledger,
        timeout_ns: int,
        max_lanes: int = MAX_LANES,
        keeps: Callable[[int], bool] = lambda _: False,
    ) -> None:
        self.address = address
        self.schedule = schedule
        self.wording = wording
        self.reading = reading
        self.ledger = ledger
        self.timeout_ns = timeout_ns
        self.keeps = keeps
        self.zero_ns = 0
        self.idle: list[Lane] = []
        self.deadlines = Deadlines()
        self._lanes: list[Lane] = []
        self._max_lanes = max_lanes

    @property
    def in_flight(self) -> int:
        """How many lanes hold an arrival."""
        return len(self._lanes) - len(self.idle)

    def warm(self, count: int) -> None:
        """Open connections before the start. Raises LoadError where the target takes none."""
        self.idle.extend(self._grow() for _ in range(min(count, self._max_lanes)))
        kinds = [kind for lane in self.idle if (kind := lane.open()) is not None]
        if kinds and len(kinds) == len(self.idle):
            raise LoadError(
                f"cannot connect to {self.address}: {kinds[0].value}", advice="is the target up, and is this its address?"
            )

    def start(self, zero_ns: int) -> None:
        """Fix the run's zero, on CLOCK_MONOTONIC."""
        self.zero_ns = zero_ns

    def now_ns(self) -> int:
        """Return the present moment of the run."""
        return time.monotonic_ns() - self.zero_ns

    def send(self, index: int) -> None:
        """Send an arrival, or have a connection made for it. Returns at once."""
        handed_ns = self.now_ns()
        if self.idle:
            self.idle.pop().take(index, handed_ns)  # the last one back: the warmest
        elif len(self._lanes) < self._max_lanes:
            self._grow().take(index, handed_ns)
        else:
            self.ledger.ended(index, never_answered(ErrorKind.POOL_EXHAUSTED, None), None, None)

    def cut_short(self, cut: End) -> None:
        """End what is in flight as cancelled, and the lanes with it."""
        gevent.killall([lane.connecting for lane in self._lanes if lane.connecting is not None], timeout=1)
        self.deadlines.close()
        for lane in self._lanes:
            lane.give_up(cut)
        self._lanes.clear()
        self.idle.clear()

    def lane_died(self, error: Exception) -> None:
        """Tell of a bug of ours that would else be a line on standard error and an arrival without a row."""
        self.ledger.failed(LoadError(f"a lane of the load engine died: {error!r}", advice="this is a bug: please report it"))

    def _grow(self) -> Lane:
        lane = Lane(self)
        self._lanes.append(lane)
        return lane
