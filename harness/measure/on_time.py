"""Did the arrivals leave when they were planned, at every time of the run? A percentile over a long run hides a short stall."""

from dataclasses import dataclass

import numpy as np

from harness.measure.requests import Requests
from harness.model.units import NS_PER_S

WINDOW_NS = 5 * NS_PER_S
"""A stall of a second or more shows in it, and it holds arrivals enough to count at ordinary rates."""

LEAST_ARRIVALS = 20
"""Fewer in a window are no share: one late arrival of five would be 20 %."""

ON_TIME_RATIO = 0.9
"""In any five seconds a tenth of the arrivals may be late: half a second of standing still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTime:
    """The worst five seconds. worst_ratio: the share of their arrivals that left on time, None without enough; since_s: when."""

    worst_ratio: float | None
    since_s: float | None

    def problems(self, bound_ms: float) -> list[str]:
        """Return the sentence for a bound that was broken."""
        if self.worst_ratio is None or self.worst_ratio >= ON_TIME_RATIO:
            return []
        return [
            f"in the five seconds from {self.since_s:.0f} s on only {100 * self.worst_ratio:.0f} % of the arrivals left within "
            f"{bound_ms:.0f} ms of their planned time (bound {100 * ON_TIME_RATIO:.0f} %): the load was lighter then; "
            "lower the rate, add --workers, or give the generator a quieter machine"
        ]


def on_time_of(requests: Requests, bound_ms: float) -> OnTime:
    """Return the worst window of the ordinary load. What was never sent, for whatever reason of ours, was not on time.

    What was cancelled before it was due is no arrival; what was cancelled in flight left, and on time or not.
    """
    mix = requests.mix & ~(requests.cancelled & np.isnan(requests.lag_ns))
    worst = OnTime(worst_ratio=None, since_s=None)
    low, size = 0, requests.intended_ns.size
    while low < size:  # rows are in order of intended time, so a window is a stretch of them
        window = max(int(requests.intended_ns[low]), 0) // WINDOW_NS
        high = int(np.searchsorted(requests.intended_ns, (window + 1) * WINDOW_NS))
        due = int(np.count_nonzero(mix[low:high]))
        if due >= LEAST_ARRIVALS:
            met = int(np.count_nonzero((requests.lag_ns[low:high] <= bound_ms * 1e6) & mix[low:high]))  # never with a NaN
            if worst.worst_ratio is None or met / due < worst.worst_ratio:
                worst = OnTime(worst_ratio=met / due, since_s=window * WINDOW_NS / NS_PER_S)
        low = high
    return worst
