"""limit_data: the connection closes after so many bytes."""

import random
from collections.abc import Mapping
from typing import ClassVar

from harness.faultproxy.toxics.stage import Data, Ending, Line, Number, Stage, Tally
from harness.model.fault import Parameter


class LimitData(Stage):
    """Passes exactly `bytes` bytes, counted from when the toxic was added, then closes; 0 closes on the first data."""

    TYPE: ClassVar[str] = "limit_data"
    PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter(name="bytes", type=int, unit="bytes", low=0, high=1 << 53, default=0, doc="how many bytes pass"),
    )
    __slots__ = ("_cut", "_passed")

    def __init__(self, line: Line, attributes: Mapping[str, Number], tally: Tally, rng: random.Random) -> None:
        super().__init__(line, attributes, tally, rng)
        self._passed = 0
        self._cut = False

    def begin_request(self) -> None:
        """Count each picked message from its beginning."""
        super().begin_request()
        self._passed = 0

    def follow(self, item: Data | Ending) -> None:
        """Pass on, unless the close came first."""
        if not self._cut:
            super().follow(item)

    def feed(self, data: Data) -> None:
        """Pass what is left of the limit; close when it is used up."""
        if self._cut:
            return
        left = max(0, int(self.attributes["bytes"]) - self._passed)
        kept = data if len(data) <= left else memoryview(data)[:left]
        self._passed += len(kept)
        if kept:
            self.out_feed(kept)
        if len(data) >= left:
            self._cut = True
            self.touch(len(data) - len(kept))
            self.out_end(Ending.CUT)

    def end(self, ending: Ending) -> None:
        """Pass the end on, unless the close came first."""
        if not self._cut:
            self.out_end(ending)
