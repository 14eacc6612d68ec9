"""A stage that holds bytes back: first in, first out, each item until its moment."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Mapping
from typing import ClassVar

from harness.faultproxy.toxics.stage import Data, Ending, Line, Number, Stage, Tally

NEVER_NS = 1 << 62
NS_PER_MS = 1_000_000


class HoldingStage(Stage):
    """Holds items until they are due.

    CAPACITY_BYTES: above this the sender is not read any more, until half of it is gone.
    EARLY_NS: how much too early an item may pass; for toxics that owe a rate, not a delay.
    TICK_NS: the shortest wait. The loop's clock ticks in milliseconds, and a shorter wait spins.
    ONE_BY_ONE: pass one item a turn of the loop, so that each is a write of its own.
    """

    CAPACITY_BYTES: ClassVar[int] = 64 * 1024
    EARLY_NS: ClassVar[int] = 0
    TICK_NS: ClassVar[int] = NS_PER_MS
    ONE_BY_ONE: ClassVar[bool] = False

    __slots__ = ("_full", "_held_bytes", "_queue", "_timer")

    def __init__(self, line: Line, attributes: Mapping[str, Number], tally: Tally, rng: random.Random) -> None:
        super().__init__(line, attributes, tally, rng)
        self._queue: deque[tuple[int, Data | Ending, int]] = deque()  # due, item, arrival
        self._held_bytes = 0
        self._full = False
        self._timer: asyncio.Handle | None = None

    def hold_until(self, due_ns: int, item: Data | Ending, arrival_ns: int = 0) -> None:
        """Pass an item on at `due_ns` (monotonic clock), never before what was held earlier."""
        if not self._queue and due_ns <= time.monotonic_ns() + self.EARLY_NS:
            self._pass(item)
            return
        self._queue.append((due_ns, item, arrival_ns))
        if not isinstance(item, Ending):
            self._held_bytes += len(item)
            if not self._full and self._held_bytes > self.CAPACITY_BYTES:
                self._full = True
                self.line.hold()
        if self._timer is None:
            self._arm()

    def end(self, ending: Ending) -> None:
        """Pass the end on behind everything that is held."""
        self.hold_until(self._queue[-1][0] if self._queue else 0, ending)

    def follow(self, item: Data | Ending) -> None:
        """Pass on untouched behind everything that is held."""
        self.hold_until(self._queue[-1][0] if self._queue else 0, item)

    def reschedule(self, queue: deque[tuple[int, Data | Ending, int]]) -> None:
        """Replace what is held by the same items with other moments."""
        self._queue = queue
        self._arm()

    def release(self) -> None:
        """Pass on everything that is held, in order, now."""
        self._cancel()
        while self._queue:
            self._pass_head()
        self._relax()

    def stop(self) -> None:
        """Drop what is held."""
        self._cancel()
        self._queue.clear()
        self._held_bytes = 0

    def _due(self) -> None:
        self._timer = None
        now_ns = time.monotonic_ns() + self.EARLY_NS
        while self._queue and self._queue[0][0] <= now_ns:
            self._pass_head()
            if self.ONE_BY_ONE:
                break
        self._relax()
        self._arm()

    def _pass_head(self) -> None:
        item = self._queue.popleft()[1]
        if not isinstance(item, Ending):
            self._held_bytes -= len(item)
        self._pass(item)

    def _pass(self, item: Data | Ending) -> None:
        if isinstance(item, Ending):
            self.out_end(item)
        else:
            self.out_feed(item)

    def _relax(self) -> None:
        if self._full and self._held_bytes <= self.CAPACITY_BYTES // 2:
            self._full = False
            self.line.unhold()

    def _arm(self) -> None:
        self._cancel()
        if not self._queue or self._queue[0][0] >= NEVER_NS:
            return
        wait_ns = max(self._queue[0][0] - time.monotonic_ns(), self.TICK_NS)
        loop = asyncio.get_running_loop()
        if wait_ns < NS_PER_MS:
            self._timer = loop.call_soon(self._due)
        else:
            self._timer = loop.call_later(wait_ns / 1e9, self._due)  # `_due` looks at the finer clock again

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
