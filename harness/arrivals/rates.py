"""The rate of a segment over its time: exact pieces with a rate that is constant or a line, or a sine."""

import math
from dataclasses import dataclass

from harness.model.plan import ArrivalProcess, ArrivalSegment
from harness.model.units import NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A rate from start_rps to end_rps over duration_ns, which begins offset_ns after the segment."""

    offset_ns: int
    duration_ns: int
    start_rps: float
    end_rps: float

    @property
    def mean(self) -> float:
        """How many arrivals it brings on average."""
        return self.mean_until(self.duration_ns)

    def mean_until(self, time_ns: int) -> float:
        """Return how many it brings on average up to a time after its own start, whether or not that lies within it."""
        time_ns = min(max(time_ns, 0), self.duration_ns)
        reached_rps = self.start_rps + (self.end_rps - self.start_rps) * (time_ns / self.duration_ns)
        return (self.start_rps + reached_rps) / 2.0 * time_ns / NS_PER_S

    def offset_of(self, mean: float) -> int:
        """Return when, from the segment's start, the piece has brought `mean` arrivals on average: the inverse of its mean."""
        slope = (self.end_rps - self.start_rps) * NS_PER_S / self.duration_ns  # requests per second, per second
        # The root of rate t + slope t^2 / 2 = mean, in the form that loses no digits where the slope is small.
        root = math.sqrt(max(self.start_rps * self.start_rps + 2.0 * slope * mean, 0.0))
        reached_ns = int(2.0 * mean / (self.start_rps + root) * NS_PER_S) if mean else 0
        return self.offset_ns + min(reached_ns, self.duration_ns - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sine:
    """A rate of mean_rps + swing_rps * sin(2 pi t / period), over the whole segment, so offset_ns is 0; never below 0."""

    duration_ns: int
    mean_rps: float
    swing_rps: float
    period_ns: int
    offset_ns: int = 0

    @property
    def mean(self) -> float:
        """How many arrivals it brings on average."""
        return self.mean_until(self.duration_ns)

    def mean_until(self, time_ns: int) -> float:
        """Return how many it brings on average up to a time after its start, whether or not that lies within it."""
        return self._mean_until(min(max(time_ns, 0), self.duration_ns) / NS_PER_S)

    def offset_of(self, mean: float) -> int:
        """Return when the sine has brought `mean` arrivals on average; by halving, because there is no closed form."""
        # The swing never takes arrivals away from the mean rate's, and never adds more than those of half a turn.
        most_ahead = self.swing_rps * self.period_ns / (math.pi * NS_PER_S)
        low_s, high_s = max(0.0, (mean - most_ahead) / self.mean_rps), mean / self.mean_rps
        for _ in range(50):
            middle_s = (low_s + high_s) / 2.0
            if self._mean_until(middle_s) < mean:
                low_s = middle_s
            else:
                high_s = middle_s
        return min(int(high_s * NS_PER_S), self.duration_ns - 1)

    def _mean_until(self, time_s: float) -> float:
        turn = 2.0 * math.pi * NS_PER_S / self.period_ns  # radians a second
        return self.mean_rps * time_s + self.swing_rps / turn * (1.0 - math.cos(turn * time_s))


def pieces_of(segment: ArrivalSegment) -> list[Line | Sine]:
    """Return the rate of a Poisson segment, in order and without gaps; pieces of no length are left out."""
    duration_ns, rate_rps = segment.end_ns - segment.start_ns, segment.rate_rps
    end_rps = rate_rps if segment.end_rate_rps is None else segment.end_rate_rps
    if segment.process is ArrivalProcess.SINE:
        assert segment.period_ns is not None
        sine = Sine(duration_ns=duration_ns, mean_rps=rate_rps, swing_rps=end_rps - rate_rps, period_ns=segment.period_ns)
        return [sine] if duration_ns else []
    if segment.process is ArrivalProcess.STEP:
        bounds, rates = _stairs(duration_ns, rate_rps, end_rps, segment.steps or 1)
    elif segment.process is ArrivalProcess.SPIKE:
        at_ns = min(segment.peak_at_ns or 0, duration_ns)
        until_ns = min(at_ns + (segment.peak_ns or 0), duration_ns)
        bounds, rates = [0, at_ns, until_ns, duration_ns], [rate_rps, end_rps, rate_rps]
    elif segment.process is ArrivalProcess.RAMP:
        return [Line(offset_ns=0, duration_ns=duration_ns, start_rps=rate_rps, end_rps=end_rps)] if duration_ns else []
    else:
        bounds, rates = [0, duration_ns], [rate_rps]
    return [
        Line(offset_ns=start_ns, duration_ns=end_ns - start_ns, start_rps=rate, end_rps=rate)
        for start_ns, end_ns, rate in zip(bounds, bounds[1:], rates, strict=False)
        if end_ns > start_ns
    ]


def peak_rps(segment: ArrivalSegment) -> float:
    """Return the highest rate of a segment; for a trace, that of its busiest second. 0 for a closed loop."""
    if segment.process is not ArrivalProcess.REPLAY:
        return max(segment.rate_rps, segment.end_rate_rps or 0.0)
    busiest, first = 0, 0
    for last, moment_ns in enumerate(segment.times_ns):
        while segment.times_ns[first] <= moment_ns - NS_PER_S:
            first += 1
        busiest = max(busiest, last - first + 1)
    return float(busiest)


def _stairs(duration_ns: int, first_rps: float, last_rps: float, steps: int) -> tuple[list[int], list[float]]:
    rise = (last_rps - first_rps) / (steps - 1) if steps > 1 else 0.0
    return [duration_ns * step // steps for step in range(steps + 1)], [first_rps + rise * step for step in range(steps)]
