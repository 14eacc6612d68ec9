"""latency: every chunk arrives later, and the spacing between chunks is kept."""

import time
from collections import deque
from typing import ClassVar

from harness.faultproxy.toxics.holding import NS_PER_MS, HoldingStage
from harness.faultproxy.toxics.stage import Data
from harness.model.fault import Parameter

HOUR_MS = 3_600_000


class Latency(HoldingStage):
    """Delays each chunk by latency plus a draw from [-jitter, +jitter), counted from the chunk's arrival."""

    TYPE: ClassVar[str] = "latency"
    PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter(name="latency", type=int, unit="ms", low=0, high=HOUR_MS, default=0, doc="delay of each chunk"),
        Parameter(name="jitter", type=int, unit="ms", low=0, high=HOUR_MS, default=0, doc="half width of the delay's spread"),
    )
    # A long line holds much: Toxiproxy allows 1024 chunks of 32 KiB in flight.
    CAPACITY_BYTES: ClassVar[int] = 32 * 1024 * 1024
    __slots__ = ()

    def feed(self, data: Data) -> None:
        """Hold the chunk for its delay."""
        arrival_ns = time.monotonic_ns()
        delay_ns = self._delay_ns()
        if delay_ns > 0:
            self.touch(len(data))
        self.hold_until(arrival_ns + delay_ns, data, arrival_ns)

    def edited(self) -> None:
        """Release the chunk in flight; what came after it gets the new delay from its own arrival."""
        if not self._queue:
            return
        self._pass_head()
        later = deque((arrival_ns + self._delay_ns(), item, arrival_ns) for _, item, arrival_ns in self._queue)
        self.reschedule(later)

    def _delay_ns(self) -> int:
        jitter_ms = self.attributes["jitter"]
        spread_ms = self.rng.uniform(-jitter_ms, jitter_ms) if jitter_ms else 0.0
        return max(0, int((self.attributes["latency"] + spread_ms) * NS_PER_MS))
