"""A canary: a new version that gets 5, 25, 50 and 100 % of the traffic, and is taken back at once when it does worse."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from reference_service.operations.counts import Counts, RolloutError
from reference_service.operations.traffic import Traffic

STEPS = (5, 25, 50, 100)
MORE_ERRORS = 0.02
MORE_DEGRADED = 0.05
SLOWER = 1.5
SLOWER_BY_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long each step is watched, how many requests must be seen in it, and how long these are waited for.

    slower: how many times the stable version's mean time is too slow.
    """

    watch_s: float
    least: int
    wait_s: float
    slower: float = SLOWER


def complaint(stable: Counts, candidate: Counts, *, slower: float = SLOWER) -> str | None:
    """Return what speaks against the candidate, or None. Without requests on the stable side it is held to none at all."""
    calm, new = max(stable.requests, 1.0), max(candidate.requests, 1.0)
    if candidate.errors / new > stable.errors / calm + MORE_ERRORS:
        return f"errors: {candidate.errors / new:.1%} against {stable.errors / calm:.1%}"
    if candidate.degraded / new > stable.degraded / calm + MORE_DEGRADED:
        return f"quality: {candidate.degraded / new:.1%} degraded answers against {stable.degraded / calm:.1%}"
    was_s, is_s = stable.seconds / calm, candidate.seconds / new
    if stable.requests and is_s > slower * was_s + SLOWER_BY_S:
        return f"latency: {is_s:.2f} s against {was_s:.2f} s"
    return None


class Canary:
    """Shifts the traffic of one balancer from `stable` to `candidate`. say: told each step."""

    def __init__(self, traffic: Traffic, stable: str, candidate: str, patience: Patience, say: Callable[[str], None]) -> None:
        self._traffic = traffic
        self._stable = stable
        self._candidate = candidate
        self._patience = patience
        self._say = say

    def run(self) -> int:
        """Return 0 when all is shifted, 1 when it was taken back, 3 when too few requests came to tell. Raises RolloutError."""
        self._traffic.counts(self._candidate)  # nobody is sent to a version that does not answer
        baseline = self._traffic.counts(self._stable)
        for percent in STEPS:
            self._traffic.shift({self._stable: 100 - percent, self._candidate: percent})
            self._say(f"{percent} % to {self._candidate}")
            code, why = self._watched(baseline, percent)
            if why is not None:
                self.take_back(why)
                return code
        self._say(f"{self._candidate} has all of it")
        return 0

    def take_back(self, why: str) -> None:
        """Give everything to the stable version."""
        self._traffic.shift({self._stable: 100})
        self._say(f"taken back: {why}")

    def _watched(self, baseline: Counts, percent: int) -> tuple[int, str | None]:
        """Watch one step to its end; return the exit code and the reason where it must be taken back."""
        p = self._patience
        try:
            before = self._traffic.counts(self._candidate)
            ends, gives_up = time.monotonic() + p.watch_s, time.monotonic() + p.watch_s + p.wait_s
            while True:
                time.sleep(min(0.25, p.watch_s))
                new = self._traffic.counts(self._candidate).since(before)
                calm = self._traffic.counts(self._stable).since(baseline)
                if new.requests >= p.least:
                    if (wrong := complaint(calm, new, slower=p.slower)) is not None:
                        return 1, wrong
                    if time.monotonic() >= ends:
                        return 0, None
                if time.monotonic() >= gives_up:
                    return 3, f"{new.requests:.0f} requests at {percent} % are too few to tell; {p.least} are needed"
        except RolloutError as error:
            return 1, str(error)
