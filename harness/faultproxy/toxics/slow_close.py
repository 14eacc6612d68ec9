"""slow_close: the data comes in time, the end of the connection late."""

import time
from typing import ClassVar

from harness.faultproxy.toxics.holding import NS_PER_MS, HoldingStage
from harness.faultproxy.toxics.stage import Ending
from harness.model.fault import Parameter


class SlowClose(HoldingStage):
    """Delays the end of the stream only."""

    TYPE: ClassVar[str] = "slow_close"
    PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter(name="delay", type=int, unit="ms", low=0, high=3_600_000, default=0, doc="how late the end comes"),
    )
    __slots__ = ()

    def end(self, ending: Ending) -> None:
        """Hold the end."""
        delay_ms = self.attributes["delay"]
        if delay_ms > 0:
            self.touch(0)
        self.hold_until(time.monotonic_ns() + int(delay_ms) * NS_PER_MS, ending)

    def edited(self) -> None:
        """Release an end that is being held, as an edit of every toxic does with what is in flight."""
        self.release()
