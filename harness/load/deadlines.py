"""Time limits of all lanes: one heap and one timer, and a lane stands in it once, however many requests it carries.

A timer for each request is two calls into the loop for something that nearly never happens. A lane is looked at when the
limit of some earlier request of it comes; if it carries a later one by then, it is put back with that one's.
"""

import time
from heapq import heappop, heappush
from itertools import count
from typing import Any, Protocol

from gevent.hub import get_hub

NEVER_NS = 2**63


class Limited(Protocol):
    """Something with a time limit. deadline_ns: of what it carries now, on CLOCK_MONOTONIC, `NEVER_NS` for nothing.

    watched_ns: when it will be looked at next; written here only, `NEVER_NS` at first.
    """

    deadline_ns: int
    watched_ns: int

    def expire(self) -> None:
        """The limit has come."""


class Deadlines:
    """Calls `expire` on gevent's loop, not before the limit. Close it when done."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Limited]] = []
        self._numbers = count()
        self._loop = get_hub().loop
        self._timer: Any = None

    def watch(self, limited: Limited) -> None:
        """Take in the present limit of a lane."""
        if limited.deadline_ns >= limited.watched_ns:
            return
        limited.watched_ns = at_ns = limited.deadline_ns
        heappush(self._heap, (at_ns, next(self._numbers), limited))
        if self._heap[0][2] is limited:
            self._arm()

    def close(self) -> None:
        """Stop the timer."""
        self._heap.clear()
        self._disarm()

    def _arm(self) -> None:
        self._disarm()
        left_ns = max(self._heap[0][0] - time.monotonic_ns(), 0)
        self._timer = self._loop.timer(left_ns / 1e9)
        self._timer.start(self._look, update=True)  # the loop's own idea of now is as old as its last turn

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None

    def _look(self) -> None:
        now_ns = time.monotonic_ns()
        heap = self._heap
        while heap and heap[0][0] <= now_ns:
            at_ns, _, limited = heappop(heap)
            if limited.watched_ns != at_ns:
                continue  # a shorter limit came after this one, and stands in the heap too
            limited.watched_ns = NEVER_NS
            if limited.deadline_ns <= now_ns:
                limited.expire()
            else:
                self.watch(limited)
        if heap:
            self._arm()
