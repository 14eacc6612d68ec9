"""bandwidth: a thin line, so many kilobytes a second."""

import random
import time
from collections import deque
from collections.abc import Mapping
from typing import ClassVar

from harness.faultproxy.toxics.holding import NEVER_NS, NS_PER_MS, HoldingStage
from harness.faultproxy.toxics.stage import Data, Ending, Line, Number, Tally
from harness.model.fault import Parameter

SLICES_PER_S = 10


class Bandwidth(HoldingStage):
    """Passes bytes at `rate` (1 KB is 1000 bytes), in slices of a tenth of a second; 0 stalls."""

    TYPE: ClassVar[str] = "bandwidth"
    PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter(name="rate", type=int, unit="KB/s", low=0, high=10_000_000, default=0, doc="bytes a second; 0 stalls"),
    )
    # What is passed a little early is owed: `_free_ns` keeps the rate, and no timer has to be finer than a millisecond.
    EARLY_NS: ClassVar[int] = NS_PER_MS
    __slots__ = ("_free_ns",)

    def __init__(self, line: Line, attributes: Mapping[str, Number], tally: Tally, rng: random.Random) -> None:
        super().__init__(line, attributes, tally, rng)
        self._free_ns = 0  # when the line has sent all that it was given

    def feed(self, data: Data) -> None:
        """Queue the bytes for their time on the line."""
        step = int(self.attributes["rate"]) * 1000 // SLICES_PER_S
        if step == 0 or len(data) <= step:
            self._send(data)
            return
        view = memoryview(data)
        for start in range(0, len(view), step):
            self._send(view[start : start + step])

    def edited(self) -> None:
        """Release the slice in flight; the rest goes at the new rate from now."""
        waiting, self._free_ns = self._queue, 0
        if waiting:
            self._pass_head()
            self.reschedule(deque((self._line_time(item), item, 0) for _, item, _ in waiting))

    def _send(self, data: Data) -> None:
        due_ns = self._line_time(data)
        if due_ns > time.monotonic_ns() + self.EARLY_NS:
            self.touch(len(data))
        self.hold_until(due_ns, data)

    def _line_time(self, item: Data | Ending) -> int:
        """Return when the line will have sent an item, and book that time."""
        if isinstance(item, Ending):
            return self._free_ns
        rate = self.attributes["rate"]
        if rate == 0:
            self._free_ns = NEVER_NS
        else:
            self._free_ns = max(time.monotonic_ns(), self._free_ns) + int(len(item) * NS_PER_MS / rate)
        return self._free_ns
