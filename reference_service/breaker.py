"""A circuit breaker: closed, open, half-open with a bounded number of probes.

Closed: calls pass; it opens on `failures` in a row, or when at least `ratio` of `min_calls` or more calls in the last
`window_s` failed. Open: no call passes for `open_s`. Half-open: at most `probes` calls at once; `successes` of them
in a row close it, one failure opens it again. A result that arrives from an earlier state counts for nothing.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

State = Literal["closed", "open", "half-open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRules:
    """When a breaker opens and closes. ratio None: only failures in a row count."""

    failures: int
    open_s: float
    probes: int = 1
    successes: int = 1
    ratio: float | None = None
    min_calls: int = 10
    window_s: float = 10.0


class Permit:
    """The right to make one call; say once how it ended. Saying it again counts for nothing."""

    __slots__ = ("_breaker", "_done", "_generation")

    def __init__(self, breaker: "Breaker", generation: int) -> None:
        self._breaker = breaker
        self._generation = generation
        self._done = False

    def succeed(self) -> None:
        """Report an answer."""
        self._report(ok=True)

    def fail(self) -> None:
        """Report a failure that is the callee's."""
        self._report(ok=False)

    def forget(self) -> None:
        """Give the permit back without a verdict: the caller went away first."""
        self._report(ok=None)

    def _report(self, *, ok: bool | None) -> None:
        if not self._done:
            self._done = True
            self._breaker._report(self._generation, ok)


class Breaker:
    """One callee's breaker. now: a monotonic clock in seconds."""

    def __init__(self, rules: BreakerRules, *, now: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules
        self._now = now
        self._state: State = "closed"
        self._generation = 0
        self._in_a_row = 0
        self._recent: deque[tuple[float, bool]] = deque(maxlen=1000)
        self._open_until = 0.0
        self._probing = 0
        self.opened = 0

    @property
    def state(self) -> State:
        """Return the state as of now; an open breaker whose time is up is half-open."""
        if self._state == "open" and self._now() >= self._open_until:
            self._enter("half-open")
        return self._state

    def admit(self) -> Permit | None:
        """Return a permit, or None where the call must not be made."""
        state = self.state
        if state == "open" or (state == "half-open" and self._probing >= self._rules.probes):
            return None
        if state == "half-open":
            self._probing += 1
        return Permit(self, self._generation)

    def fail_late(self) -> None:
        """Count a failure of a call that was already reported as begun well (a stream that broke)."""
        if self.state != "open":
            self._count(ok=False)

    def _report(self, generation: int, ok: bool | None) -> None:
        if generation != self._generation:
            return
        if self._state == "half-open":
            self._probing -= 1
        if ok is not None:
            self._count(ok=ok)

    def _count(self, *, ok: bool) -> None:
        self._in_a_row = 0 if ok and self._state == "closed" else self._in_a_row + 1
        if self._state == "half-open":
            if not ok:
                self._enter("open")
            elif self._in_a_row >= self._rules.successes:
                self._enter("closed")
            return
        now = self._now()
        self._recent.append((now, ok))
        if not ok and (self._in_a_row >= self._rules.failures or self._too_many(now)):
            self._enter("open")

    def _too_many(self, now: float) -> bool:
        if self._rules.ratio is None:
            return False
        while self._recent and self._recent[0][0] < now - self._rules.window_s:
            self._recent.popleft()
        bad = sum(not ok for _, ok in self._recent)
        return len(self._recent) >= self._rules.min_calls and bad >= self._rules.ratio * len(self._recent)

    def _enter(self, state: State) -> None:
        self._state = state
        self._generation += 1
        self._in_a_row = 0
        self._probing = 0
        self._recent.clear()
        if state == "open":
            self.opened += 1
            self._open_until = self._now() + self._rules.open_s
