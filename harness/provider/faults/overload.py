"""A provider with so many places and a queue before them."""

from collections import deque

from harness.model.fault import Parameter
from harness.provider.draft import Draft, Refusal
from harness.provider.faults.base import FaultSpec, ProviderFault
from harness.provider.faults.trigger import Trigger
from harness.provider.script import Hold


class Overload(ProviderFault):
    """Serves `concurrency` calls at a time, keeps `queue` waiting in their order, refuses the rest. Acted: waited or refused."""

    PARAMETERS = (
        Parameter(name="concurrency", type=int, unit="calls", doc="served at a time", low=1, high=100_000, default=10),
        Parameter(name="queue", type=int, unit="calls", doc="that may wait", low=0, high=100_000, default=0),
        Parameter(name="code", type=int, doc="the status beyond: 429, 503 or 529 in practice", low=400, high=599, default=503),
        Parameter(name="retry_after_s", type=int, unit="s", doc="the Retry-After beyond", low=0, high=86_400, default=1),
    )

    def __init__(self, spec: FaultSpec, trigger: Trigger) -> None:
        super().__init__(spec, trigger)
        self._served: set[str] = set()
        self._queue: deque[str] = deque()

    def edit_draft(self, draft: Draft) -> None:
        """Serve, queue or refuse."""
        if len(self._served) < self.integer("concurrency"):
            self._served.add(draft.call_id)
        elif len(self._queue) < self.integer("queue"):
            self._queue.append(draft.call_id)
            draft.opening.append(Hold(fault=self))
        else:
            code = self.integer("code")
            draft.refusal = Refusal(
                fault=self,
                status_code=code,
                message="The engine is currently overloaded, please try again later",
                error_type="rate_limit_error" if code == 429 else "server_error",
                code="rate_limit_exceeded" if code == 429 else "overloaded",
                headers=(("retry-after", str(self.integer("retry_after_s"))),),
            )

    def holds(self, call_id: str) -> bool:
        """Hold those in the queue; one may have got a place before it came to wait."""
        return super().holds(call_id) and call_id not in self._served

    def ended(self, call_id: str) -> None:
        """Give the place to the next in the queue."""
        self._served.discard(call_id)
        if call_id in self._queue:
            self._queue.remove(call_id)
        while self._queue and len(self._served) < self.integer("concurrency"):
            following = self._queue.popleft()
            self._served.add(following)
            if following in self.held:
                self.held[following].release()
