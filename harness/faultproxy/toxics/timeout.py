"""timeout: nothing gets through, and after a while of silence the connection closes (or never, with 0)."""

import asyncio
import random
from collections.abc import Mapping
from typing import ClassVar

from harness.faultproxy.toxics.stage import Data, Ending, Line, Number, Stage, Tally
from harness.model.fault import Parameter


class Timeout(Stage):
    """Drops all data. Removing it closes the connection: what was dropped cannot come back."""

    TYPE: ClassVar[str] = "timeout"
    PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter(
            name="timeout", type=int, unit="ms", low=0, high=3_600_000, default=0, doc="silence before the close; 0 is never"
        ),
    )
    __slots__ = ("_timer",)

    def __init__(self, line: Line, attributes: Mapping[str, Number], tally: Tally, rng: random.Random) -> None:
        super().__init__(line, attributes, tally, rng)
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start the clock of silence, where there is one."""
        self.stop()
        if self.attributes["timeout"] > 0:
            self._timer = asyncio.get_running_loop().call_later(self.attributes["timeout"] / 1000, self._expire)

    def feed(self, data: Data) -> None:
        """Drop the bytes; they count as life, though."""
        self.touch(len(data))
        self.start()

    def end(self, ending: Ending) -> None:
        """Pass the end on, as Toxiproxy does: who gave up on a dark link is not kept waiting for its removal."""
        self.stop()
        self.out_end(ending)

    def edited(self) -> None:
        """Count the new time from now."""
        self.start()

    def removed(self) -> None:
        """Close the connection."""
        self.stop()
        self.out_end(Ending.CUT)

    def stop(self) -> None:
        """Cancel the clock."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        self.touch(0)
        self.out_end(Ending.CUT)
