"""slicer: chunks arrive in small pieces."""

import random
import time
from collections.abc import Mapping
from typing import ClassVar

from harness.faultproxy.toxics.holding import HoldingStage
from harness.faultproxy.toxics.stage import Data, Ending, Line, Number, Tally
from harness.model.fault import Parameter


class Slicer(HoldingStage):
    """Cuts chunks into pieces of average_size, give or take size_variation, each sent `delay` after the one before.

    Every piece is a write of its own, also with delay 0.
    """

    TYPE: ClassVar[str] = "slicer"
    PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter(name="average_size", type=int, unit="bytes", low=1, high=1_000_000_000, default=1024, doc="size of a piece"),
        Parameter(
            name="size_variation", type=int, unit="bytes", low=0, high=1_000_000_000, default=0, doc="half width of its spread"
        ),
        Parameter(name="delay", type=int, unit="us", low=0, high=3_600_000_000, default=0, doc="pause between pieces"),
    )
    TICK_NS: ClassVar[int] = 0  # its delays are microseconds
    ONE_BY_ONE: ClassVar[bool] = True
    __slots__ = ("_free_ns",)

    def __init__(self, line: Line, attributes: Mapping[str, Number], tally: Tally, rng: random.Random) -> None:
        super().__init__(line, attributes, tally, rng)
        self._free_ns = 0

    def feed(self, data: Data) -> None:
        """Queue the pieces."""
        view, start = memoryview(data), 0
        delay_ns = int(self.attributes["delay"]) * 1000
        now_ns = time.monotonic_ns()
        while start < len(view):
            piece = view[start : start + self._size()]
            start += len(piece)
            if len(piece) < len(view):
                self.touch(len(piece))
            due_ns = max(now_ns, self._free_ns)
            self._free_ns = due_ns + delay_ns
            self.hold_until(due_ns, piece)

    def end(self, ending: Ending) -> None:
        """Pass the end on behind the last piece."""
        self.hold_until(0, ending)

    def edited(self) -> None:
        """Release what is held; the next chunk is cut the new way."""
        self._free_ns = 0
        self.release()

    def _size(self) -> int:
        average, variation = int(self.attributes["average_size"]), int(self.attributes["size_variation"])
        return max(1, average + self.rng.randint(-variation, variation)) if variation else average
