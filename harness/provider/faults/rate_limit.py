"""A provider that serves so many calls in a while, as one does that has sold a rate."""

import math
import time

from harness.model.fault import Parameter
from harness.provider.draft import Draft, Refusal
from harness.provider.faults.base import FaultSpec, ProviderFault
from harness.provider.faults.trigger import Trigger


class RateLimit(ProviderFault):
    """Serves `calls` in each window from the first call on, refuses the rest with 429 until the next begins. Acted: refused."""

    PARAMETERS = (
        Parameter(name="calls", type=int, unit="calls", doc="served in each window", low=0, high=1_000_000, default=10),
        Parameter(name="window_s", type=float, unit="s", doc="the window", low=0.1, high=86_400, default=10.0),
        Parameter(
            name="retry_after", type=bool, doc="say in whole seconds, rounded up, when the next window begins", default=True
        ),
    )

    def __init__(self, spec: FaultSpec, trigger: Trigger) -> None:
        super().__init__(spec, trigger)
        self._began_ns: int | None = None
        self._served = 0

    def edit_draft(self, draft: Draft) -> None:
        """Serve or refuse."""
        now_ns, window_ns = time.monotonic_ns(), round(self.number("window_s") * 1e9)
        if self._began_ns is None:
            self._began_ns = now_ns
        if now_ns - self._began_ns >= window_ns:
            self._began_ns += (now_ns - self._began_ns) // window_ns * window_ns
            self._served = 0
        if self._served < self.integer("calls"):
            self._served += 1
            return
        left_s = math.ceil((self._began_ns + window_ns - now_ns) / 1e9)
        draft.refusal = Refusal(
            fault=self,
            status_code=429,
            message="Rate limit reached for requests",
            error_type="rate_limit_error",
            code="rate_limit_exceeded",
            headers=(("retry-after", str(left_s)),) if self.flag("retry_after") else (),
        )
