"""Lanes that send: pre-spawned greenlets, each with a warm connection, handed one arrival at a time."""

import time
from collections.abc import Callable
from typing import Protocol

import gevent
from gevent.hub import get_hub

from harness.errors import HarnessError, LoadError
from harness.exchange import End, Exchange, Outcome, Reading, never_answered
from harness.load.address import Address
from harness.load.schedule import Schedule
from harness.load.wire import Wire
from harness.load.wording import Wording
from harness.model.error_kind import RESULT_OF_KIND, ErrorKind
from harness.model.outcome import Result

MAX_LANES = 4_000


class Ledger(Protocol):
    """Where the pool tells what became of each arrival."""

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
        self.cut = End.STOPPED
        self.idle: list[Lane] = []
        self._lanes: list[Lane] = []
        self._max_lanes = max_lanes
        self._loop = get_hub().loop

    @property
    def in_flight(self) -> int:
        """How many lanes hold an arrival."""
        return len(self._lanes) - len(self.idle)

    def warm(self, count: int) -> None:
        """Open connections before the start. Raises LoadError where the target takes none."""
        for _ in range(min(count, self._max_lanes)):
            lane = self._grow()
            self.idle.append(lane)
        gevent.sleep(0)  # every lane comes to its wait before anything is handed to it
        kinds = [kind for lane in self.idle if (kind := lane.open()) is not None]
        if kinds and len(kinds) == len(self.idle):
            raise LoadError(
                f"cannot connect to {self.address}: {kinds[0].value}", advice="is the target up, and is this its address?"
            )

    def start(self, zero_ns: int) -> None:
        """Fix the run's zero, on CLOCK_MONOTONIC."""
        self.zero_ns = zero_ns
        for lane in self._lanes:
            lane.wire.zero_ns = zero_ns

    def send(self, index: int) -> None:
        """Hand an arrival to a lane. Returns at once."""
        now_ns = time.monotonic_ns() - self.zero_ns
        if self.idle:
            lane = self.idle.pop()  # the last one back: the warmest
            lane.index, lane.handed_ns = index, now_ns
            self._loop.run_callback(lane.switch)
        elif len(self._lanes) < self._max_lanes:
            lane = self._grow()  # finds its arrival when it first runs
            lane.index, lane.handed_ns = index, now_ns
        else:
            self.ledger.ended(index, never_answered(ErrorKind.POOL_EXHAUSTED, None), None, None)

    def cut_short(self, cut: End) -> None:
        """End what is in flight as cancelled, and the lanes with it."""
        self.cut = cut
        gevent.killall(list(self._lanes), timeout=1)
        for lane in self._lanes:
            lane.give_up()
            lane.wire.dispose()
        self._lanes.clear()
        self.idle.clear()

    def _grow(self) -> "Lane":
        lane = Lane(self)
        lane.link_exception(self._lane_died)
        lane.wire.zero_ns = self.zero_ns
        self._lanes.append(lane)
        lane.start()
        return lane

    def _lane_died(self, lane: "Lane") -> None:
        self.ledger.failed(
            LoadError(f"a lane of the load engine died: {lane.exception!r}", advice="this is a bug: please report it")
        )


class Lane(gevent.Greenlet):  # type: ignore[misc] # gevent is untyped
    """One greenlet and its wire. index: the arrival that it holds, -1 while idle."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self.index = -1
        self.handed_ns = 0
        self.wire = Wire(pool.address, timeout_ns=pool.timeout_ns)
        self._pool = pool

    def open(self) -> ErrorKind | None:
        """Connect ahead of the first arrival, from the greenlet that warms the pool."""
        self.wire.begin()
        try:
            return self.wire.connect()
        finally:
            self.wire.rest()

    def give_up(self) -> None:
        """Tell of an arrival that was handed over, and cut short before it could begin."""
        if self.index >= 0:
            self._ended(never_answered(ErrorKind(self._pool.cut.value), self._now_ns()), None, None)

    def _run(self) -> None:
        hub, pool = get_hub(), self._pool
        try:
            while True:
                if self.index < 0:
                    hub.switch()
                    continue
                self._serve(self.index)
                self.index = -1
                pool.idle.append(self)
        except gevent.GreenletExit:
            self.give_up()

    def _serve(self, index: int) -> None:
        wire, pool = self.wire, self._pool
        begun_ns = self._now_ns()
        started_ns: int | None = None
        pool_wait_ns: int | None = None
        exchange: Exchange | None = None
        schedule = pool.schedule
        kind = schedule.requests[schedule.request[index]]
        wire.begin(kind.user_class.timeout_ns)
        try:
            trouble = wire.connect()
            now_ns = self._now_ns()
            if trouble is not None:
                # The attempt is when the request began, unless it is our own machine that could not make it.
                unsent = RESULT_OF_KIND[trouble] is Result.UNSENT
                self._ended(
                    never_answered(trouble, None if unsent else now_ns), None if unsent else begun_ns, now_ns - self.handed_ns
                )
                return
            request = pool.wording.request(index)
            exchange = Exchange(
                pool.reading,
                streamed=kind.streamed,
                protocol=kind.user_class.protocol,
                keep=schedule.next_turn[index] >= 0 or pool.keeps(index),
            )
            started_ns = self._now_ns()
            pool_wait_ns = started_ns - self.handed_ns
            pool.ledger.started(index, started_ns)
            end = wire.talk(request, exchange)
        except gevent.GreenletExit:
            if exchange is not None and started_ns is not None:
                self._ended(exchange.outcome(pool.cut, self._now_ns()), started_ns, pool_wait_ns)
            raise
        finally:
            wire.rest()
        outcome = exchange.outcome(end, self._now_ns())
        if end is not End.COMPLETE or not outcome.reusable:
            wire.close()
        self._ended(outcome, started_ns, pool_wait_ns)

    def _ended(self, outcome: Outcome, started_ns: int | None, pool_wait_ns: int | None) -> None:
        index, self.index = self.index, -1
        self._pool.ledger.ended(index, outcome, started_ns, pool_wait_ns)

    def _now_ns(self) -> int:
        return time.monotonic_ns() - self._pool.zero_ns
