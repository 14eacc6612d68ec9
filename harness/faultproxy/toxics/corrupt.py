"""corrupt: some bytes arrive changed. Ours: Toxiproxy has none."""

import math
from typing import ClassVar

from harness.faultproxy.toxics.stage import Data, Stage
from harness.model.fault import Parameter


class Corrupt(Stage):
    """Changes each byte with probability `share` into any other value, drawn from the seed."""

    TYPE: ClassVar[str] = "corrupt"
    PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter(name="share", type=float, low=0, high=1, default=0.01, doc="share of the bytes that are changed"),
    )
    __slots__ = ()

    def feed(self, data: Data) -> None:
        """Pass the bytes on, some of them changed."""
        changed: bytearray | None = None
        position, count = self._gap(), 0
        while position < len(data):
            if changed is None:
                changed = bytearray(data)
            changed[position] ^= self.rng.randint(1, 255)
            count += 1
            position += 1 + self._gap()
        if changed is None:
            self.out_feed(data)
            return
        self.touch(count)
        self.out_feed(bytes(changed))

    def _gap(self) -> int:
        """Draw how many bytes are left alone before the next change: geometric, one draw a change and not one a byte."""
        share = self.attributes["share"]
        if share <= 0:
            return 1 << 62
        if share >= 1:
            return 0
        return min(1 << 62, int(math.log(1.0 - self.rng.random()) / math.log1p(-share)))
