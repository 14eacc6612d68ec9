"""reset_peer: the connection breaks off with RST, as when a process dies or a firewall forgets."""

import asyncio
import random
from collections.abc import Mapping
from typing import ClassVar

from harness.faultproxy.toxics.holding import NEVER_NS, HoldingStage
from harness.faultproxy.toxics.stage import Data, Ending, Line, Number, Tally
from harness.model.fault import Parameter


class ResetPeer(HoldingStage):
    """Sends RST to both ends `timeout` ms after the first data or the end; an idle connection is left alone.

    What comes in that time is held, so that a removal in the middle loses nothing.
    """

    TYPE: ClassVar[str] = "reset_peer"
    PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter(name="timeout", type=int, unit="ms", low=0, high=3_600_000, default=0, doc="from the first data to the reset"),
    )
    __slots__ = ("_fuse",)

    def __init__(self, line: Line, attributes: Mapping[str, Number], tally: Tally, rng: random.Random) -> None:
        super().__init__(line, attributes, tally, rng)
        self._fuse: asyncio.TimerHandle | None = None

    def feed(self, data: Data) -> None:
        """Hold the bytes and light the fuse."""
        self.hold_until(NEVER_NS, data)
        self._light()

    def end(self, ending: Ending) -> None:
        """Hold the end and light the fuse."""
        self.hold_until(NEVER_NS, ending)
        self._light()

    def edited(self) -> None:
        """Count a lit fuse's new time from now."""
        if self._fuse is not None:
            self._put_out()
            self._light()

    def release(self) -> None:
        """Spare the connection and pass on what was held."""
        self._put_out()
        super().release()

    def stop(self) -> None:
        """Drop what is held; nothing is left to reset."""
        self._put_out()
        super().stop()

    def _light(self) -> None:
        if self._fuse is None:
            self._fuse = asyncio.get_running_loop().call_later(self.attributes["timeout"] / 1000, self._reset)

    def _put_out(self) -> None:
        if self._fuse is not None:
            self._fuse.cancel()
            self._fuse = None

    def _reset(self) -> None:
        self._fuse = None
        self.touch(self._held_bytes)
        self.line.reset()
