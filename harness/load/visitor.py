"""One user of a locustfile: Locust's own loop in a greenlet, its waiting ours, and a row for each request."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import gevent
from gevent.event import Event
from locust import TaskSet, User
from locust.exception import StopTest, StopUser

from harness.exchange import End, never_answered
from harness.load.asks import Ask
from harness.model.error_kind import ErrorKind
from harness.model.outcome import BAD_RESULTS
from harness.model.plan import ArrivalSegment

if TYPE_CHECKING:
    from harness.load.visitors import VisitorPool


class Visitor:
    """One user of the file. arrival: the place of the arrival that it works for, -1 for none."""

    def __init__(self, pool: "VisitorPool", user_class: type[User], *, loop: ArrivalSegment | None = None) -> None:
        self._pool = pool
        self.loop = loop
        self.user = user_class(pool.environment)
        self.arrival = -1
        self.handed_ns = 0
        self.is_settled = False
        self.is_idle = False
        self.open: list[Ask] = []
        self._claimed = False
        self._went_well = True
        self._last_ns = 0
        self._handed = Event()
        on_start = self.user.on_start
        self.user.on_start = lambda: self._settle(on_start)  # type: ignore[method-assign] # of this one user only

    def take(self, index: int, now_ns: int) -> None:
        """Give it an arrival."""
        self.arrival, self.handed_ns, self._claimed = index, now_ns, False
        self._handed.set()

    def wait(self, taskset: TaskSet, original: Callable[[TaskSet], None]) -> None:
        """Wait as Locust asks a user to between two tasks."""
        self.task_over()
        if self.loop is None:
            self._next_arrival()
            return
        if self._pool.is_past(self.loop):
            raise StopUser
        original(taskset)
        if self._pool.is_past(self.loop):
            raise StopUser

    def asks(self, method: str, url: str, *, streams: bool, fast: bool) -> Ask | None:
        """Return the ask of a request that begins now. What is asked before the run's zero, and after its end, is no row."""
        pool = self._pool
        if not pool.is_counting:
            pool.uncounted += 1
            return None
        started_ns = pool.now_ns()
        claims = self.is_settled and self.arrival >= 0 and not self._claimed
        self._claimed = self._claimed or claims
        index = self.arrival if claims else pool.new_row(started_ns)
        ask = Ask(index, method=method, url=url, streams=streams, started_ns=started_ns, zero_ns=pool.zero_ns)
        ask.pool_wait_ns = started_ns - self.handed_ns if claims else None
        ask.is_fast = fast
        ask.asker = self
        self.open.append(ask)
        pool.ledger.started(index, started_ns)
        return ask

    def request_id(self, ask: Ask) -> str:
        """Return the id under which a request is sent."""
        return self._pool.request_id(ask.index)

    def broke(self, ask: Ask, error: BaseException) -> None:
        """Take the end of a request of which Locust will not tell; one that is cut short is told by `cut_short`."""
        if ask in self.open and not isinstance(error, gevent.GreenletExit):
            ask.hear(name=ask.name, response=None, exception=error)
            self.finish(ask)

    def finish(self, ask: Ask) -> None:
        """Make the row of a request that is over."""
        if ask in self.open:
            self.open.remove(ask)
            outcome = self._pool.record(ask)
            if ask.started_ns >= self._last_ns:
                self._last_ns, self._went_well = ask.started_ns, outcome.result not in BAD_RESULTS

    def task_over(self, failed: bool = False) -> None:
        """End the task: what it left open is told as far as it came, and an arrival for which nothing was asked too."""
        for ask in list(self.open):
            self.finish(ask)
        unasked = self.arrival >= 0 and not self._claimed
        index, self.arrival = self.arrival, -1
        went_well, self._went_well = self._went_well, True
        pool = self._pool
        if not pool.is_counting:
            return
        if failed and went_well:  # what a task would have asked next is missing, and the target was not the reason
            index = index if unasked else pool.new_row(pool.now_ns())
            pool.ledger.ended(index, never_answered(ErrorKind.TASK_FAILED, None), None, None)
        elif unasked:
            pool.ledger.ended(index, never_answered(ErrorKind.NO_REQUEST, None), None, None)

    def cut_short(self, cut: End, timeout_ns: int) -> None:
        """Tell of what it has in flight. What hung for longer than the time limit has timed out, not been cancelled."""
        now_ns = self._pool.now_ns()
        for ask in self.open:
            if now_ns - ask.started_ns > timeout_ns:
                kind = ErrorKind.FIRST_BYTE_TIMEOUT if ask.returned_ns is None else ErrorKind.BODY_TIMEOUT
            else:
                kind = ErrorKind(cut.value)
            self._pool.ledger.ended(ask.index, never_answered(kind, now_ns), ask.started_ns, ask.pool_wait_ns)
        self.open.clear()
        if self.arrival >= 0 and not self._claimed:
            self._pool.ledger.ended(self.arrival, never_answered(ErrorKind(cut.value), now_ns), None, None)
        self.arrival = -1

    def _settle(self, on_start: Callable[[], None]) -> None:
        try:
            on_start()
        except (StopUser, StopTest):
            raise
        except Exception as error:
            self._pool.raised(self, error)
            raise StopUser from error
        for ask in list(self.open):
            self.finish(ask)
        self.is_settled = True
        if self.loop is None and self.arrival < 0:
            self._next_arrival()

    def _next_arrival(self) -> None:
        while self.arrival < 0:
            self._handed.clear()
            self._pool.rests(self)
            self._handed.wait()
        self.is_idle = False
