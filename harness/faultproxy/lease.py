"""The lease: faults fall away when their owner stops renewing."""

import asyncio
import logging
import time

from harness.faultproxy.failure import ApiError
from harness.faultproxy.proxies import Proxies

log = logging.getLogger(__name__)


class Lease:
    """The owner's promise to come back: when it is not renewed, everything is reset."""

    def __init__(self, proxies: Proxies) -> None:
        self._proxies = proxies
        self._task: asyncio.Task[None] | None = None
        self.seconds: float | None = None
        self.expired = 0
        self._ends_ns = 0

    @property
    def remaining_s(self) -> float | None:
        """Seconds left, None without a lease."""
        return None if self.seconds is None else max(0.0, (self._ends_ns - time.monotonic_ns()) / 1e9)

    def renew(self, seconds: float) -> None:
        """Begin a lease, or begin it again from now."""
        self.end()
        self.seconds = seconds
        self._ends_ns = time.monotonic_ns() + int(seconds * 1e9)
        self._task = asyncio.get_running_loop().create_task(self._run_out(seconds))

    def end(self) -> None:
        """End the lease without a reset."""
        self.seconds = None
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run_out(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        async with self._proxies.lock:
            # From here on a renewal comes too late for this lease: it begins a new one.
            self.seconds, self._task = None, None
            self.expired += 1
            log.warning("the lease of %g s ran out: every toxic is removed, every proxy enabled", seconds)
            try:
                await self._proxies.reset()
            except ApiError as error:
                log.error("after the lease ran out: %s", error)
