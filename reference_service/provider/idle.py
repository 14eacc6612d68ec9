"""The bound on a silent stream: one timer a call, which looks how long the present read has waited, not one timer a read."""

from collections.abc import Callable
from typing import Protocol

STALLED_S = 0.05
"""A timer that comes later than this says that this process was held up, not that the provider was silent."""


class Timer(Protocol):
    """What can be called off."""

    def cancel(self) -> None:
        """Call it off."""


class Loop(Protocol):
    """The part of an event loop that keeps time."""

    def time(self) -> float:
        """Return the loop's time, seconds."""

    def call_at(self, when: float, callback: Callable[[], object]) -> Timer:
        """Call `callback` at that time."""


class IdleWatch:
    """Calls `cut` once a read has waited for limit_s. Only the time between `begins` and `ends` counts: a client that reads
    slowly is not the provider's silence. `stop` ends it."""

    def __init__(self, loop: Loop, limit_s: float, cut: Callable[[], None]) -> None:
        self._limit_s = limit_s
        self._cut = cut
        self._loop = loop
        self._since: float | None = None
        self._due = self._loop.time() + limit_s
        self._timer = self._loop.call_at(self._due, self._look)

    def begins(self) -> None:
        """Note that a read waits from now on."""
        self._since = self._loop.time()

    def ends(self) -> None:
        """Note that it waits no more."""
        self._since = None

    def stop(self) -> None:
        """Look no more."""
        self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        if self._since is None:
            self._again(now + self._limit_s)
        elif now < self._since + self._limit_s:
            self._again(self._since + self._limit_s)
        elif now > self._due + STALLED_S:
            self._again(now + STALLED_S)  # what came meanwhile lies unread in the socket
        else:
            self._cut()

    def _again(self, due: float) -> None:
        self._due = due
        self._timer = self._loop.call_at(due, self._look)
