"""One connection and the request on it, driven by calls of gevent's loop: no greenlet waits for an answer.

A greenlet a request is two switches, a watcher started and stopped and a timer set and taken back, for each wait: more than
sending and reading cost together. Only making a connection, where several waits follow each other, is a greenlet's work.
"""

from time import monotonic_ns
from typing import TYPE_CHECKING, Any

import gevent

from harness.exchange import End, Exchange, Outcome, never_answered
from harness.load.deadlines import NEVER_NS
from harness.load.wire import Wire
from harness.model.error_kind import RESULT_OF_KIND, ErrorKind
from harness.model.outcome import Result

if TYPE_CHECKING:
    from harness.load.pool import Pool
    from harness.load.schedule import Request

_COMPLETE = End.COMPLETE


class Lane:
    """Carries one arrival at a time. index: the arrival that it holds, -1 while idle. connecting: who makes its connection."""

    __slots__ = (
        "_exchange",
        "_handed_ns",
        "_pool",
        "_pool_wait_ns",
        "_started_ns",
        "_unsent",
        "_wire",
        "connecting",
        "deadline_ns",
        "index",
        "watched_ns",
    )

    def __init__(self, pool: "Pool") -> None:
        self.index = -1
        self.deadline_ns = self.watched_ns = NEVER_NS
        self.connecting: Any = None
        self._pool = pool
        self._wire = Wire(pool.address, timeout_ns=pool.timeout_ns)
        self._exchange: Exchange | None = None
        self._unsent: memoryview | None = None
        self._handed_ns = 0
        self._started_ns: int | None = None
        self._pool_wait_ns: int | None = None

    def open(self) -> ErrorKind | None:
        """Connect ahead of the first arrival, in the greenlet that warms the pool; return why there can be no connection."""
        return self._connect(None)

    def take(self, index: int, handed_ns: int) -> None:
        """Send an arrival that was handed over at a moment of the run. Returns at once."""
        self.index, self._handed_ns = index, handed_ns
        pool = self._pool
        try:
            schedule = pool.schedule
            kind = schedule.requests[schedule.request[index]]
            own_ns = kind.user_class.timeout_ns
            self.deadline_ns = pool.zero_ns + handed_ns + (pool.timeout_ns if own_ns is None else own_ns)
            if self._wire.is_ready():
                self._send(kind)
            else:
                self.connecting = gevent.spawn(self._connect_and_send, kind)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must end the run: the arrival would have no row
            pool.lane_died(error)

    def give_up(self, cut: End) -> None:
        """End an arrival as cancelled, where there is one, and the connection for good."""
        if self.index >= 0:
            if self._exchange is not None:
                self._finish(cut)
            else:
                self._ended(never_answered(ErrorKind(cut.value), self._pool.now_ns()))
        self._wire.dispose()

    def expire(self) -> None:
        """The time limit has come. While a connection is being made, that has a timer of its own."""
        if self._exchange is not None:
            self._guarded_finish(End.TIMEOUT)

    def _connect_and_send(self, kind: "Request") -> None:
        begun_ns = self._pool.now_ns()
        try:
            trouble = self._connect(kind.user_class.timeout_ns)
            self.connecting = None
            if trouble is None:
                self._send(kind)
                return
            # The attempt is when the request began, unless it is our own machine that could not make it.
            now_ns = self._pool.now_ns()
            unsent = RESULT_OF_KIND[trouble] is Result.UNSENT
            self._started_ns, self._pool_wait_ns = None if unsent else begun_ns, now_ns - self._handed_ns
            self._ended(never_answered(trouble, None if unsent else now_ns))
        except Exception as error:  # noqa: BLE001 - as in `take`
            self._pool.lane_died(error)

    def _connect(self, timeout_ns: int | None) -> ErrorKind | None:
        wire = self._wire
        wire.begin(timeout_ns)
        try:
            trouble = wire.connect()
        finally:
            wire.rest()
        if trouble is None:
            wire.listen(self._readable)
        return trouble

    def _send(self, kind: "Request") -> None:
        pool, index = self._pool, self.index
        request = pool.wording.request(index)
        self._exchange = Exchange(
            pool.reading,
            streamed=kind.streamed,
            protocol=kind.user_class.protocol,
            keep=pool.schedule.next_turn[index] >= 0 or pool.keeps(index),
        )
        self._started_ns = started_ns = monotonic_ns() - pool.zero_ns
        unsent = self._wire.send(request)  # at once: what stands between the two is told as the target's time
        self._pool_wait_ns = started_ns - self._handed_ns
        pool.ledger.started(index, started_ns)
        if unsent is not None:
            self._unsent = unsent
            self._wire.when_writable(self._writable)
        if self.deadline_ns < self.watched_ns:
            pool.deadlines.watch(self)

    def _writable(self) -> None:
        assert self._unsent is not None
        self._unsent = self._wire.send_on(self._unsent)
        if self._unsent is None:
            self._wire.when_writable(None)

    def _readable(self) -> None:
        exchange = self._exchange
        try:
            got = self._wire.receive()
            if exchange is None:
                if got != b"":  # closed by the peer while idle, or something that nobody asked for
                    self._wire.close()
            elif isinstance(got, End):
                self._finish(got)
            elif got and exchange.feed(got, monotonic_ns() - self._pool.zero_ns):
                self._finish(_COMPLETE)
        except Exception as error:  # noqa: BLE001 - as in `take`; the loop would print it and go on
            self._pool.lane_died(error)

    def _guarded_finish(self, end: End) -> None:
        try:
            self._finish(end)
        except Exception as error:  # noqa: BLE001 - as in `take`
            self._pool.lane_died(error)

    def _finish(self, end: End) -> None:
        exchange, self._exchange = self._exchange, None
        assert exchange is not None
        outcome = exchange.outcome(end, self._pool.now_ns())
        if end is not _COMPLETE or self._unsent is not None or not outcome.reusable:
            self._wire.close()
        self._ended(outcome)

    def _ended(self, outcome: Outcome) -> None:
        pool, index = self._pool, self.index
        started_ns, pool_wait_ns = self._started_ns, self._pool_wait_ns
        self.index, self._started_ns, self._pool_wait_ns, self._unsent = -1, None, None, None
        self.deadline_ns = NEVER_NS
        pool.idle.append(self)
        pool.ledger.ended(index, outcome, started_ns, pool_wait_ns)
