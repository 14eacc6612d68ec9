"""Arrival processes: from segments and a seed to intended nanoseconds, before anything is sent.

A schedule belongs to the run, not to a worker: worker i of n takes the arrivals k with k mod n = i of this one list, so
that the number of workers changes nothing. (Workers with generators of their own add up to something that is no longer
the process that was asked for.)
"""

import math
import random
from array import array
from collections.abc import Iterator, Sequence
from fractions import Fraction

from harness.model.plan import ArrivalProcess, ArrivalSegment
from harness.model.units import NS_PER_S


def intended_ns(segments: Sequence[ArrivalSegment], seed: int) -> "array[int]":
    """Return every arrival of the run: sorted nanoseconds from the run's zero, the same for the same seed.

    CONSTANT puts one arrival at the start of each period. POISSON and RAMP are Poisson processes; a ramp is exact by
    inversion of its mean (no thinning, no steps). Each segment has randomness of its own: editing one moves no other.
    Segments may overlap. Raises ValueError on a segment that ends before it starts or whose rate is not a finite
    number of at least 0 (a ramp needs both of its rates).
    """
    arrivals = array("q")
    for number, segment in enumerate(segments):
        _check(segment)
        if segment.process is ArrivalProcess.CONSTANT:
            arrivals.extend(_constant(segment))
        else:
            arrivals.extend(_poisson(segment, random.Random(f"arrivals/{seed}/{number}")))
    return array("q", sorted(arrivals))


def expected_count(segments: Sequence[ArrivalSegment]) -> float:
    """Return how many arrivals the segments bring: exact for CONSTANT, the mean of the process for the others."""
    total = 0.0
    for segment in segments:
        _check(segment)
        total += _constant_count(segment) if segment.process is ArrivalProcess.CONSTANT else _mean(segment)
    return total


def _constant(segment: ArrivalSegment) -> Iterator[int]:
    rate, per = _ratio(segment.rate_rps)
    if rate:
        for k in range(_constant_count(segment)):
            yield segment.start_ns + k * NS_PER_S * per // rate


def _constant_count(segment: ArrivalSegment) -> int:
    """Return the number of k with start + floor(k / rate) < end."""
    rate, per = _ratio(segment.rate_rps)
    return -(-(segment.end_ns - segment.start_ns) * rate // (NS_PER_S * per))


def _ratio(rate_rps: float) -> tuple[int, int]:
    """Return a rate as the fraction that was meant: 0.1 is 1/10, so that ten seconds of it hold one arrival, not two.

    Integers, because then the millionth arrival is as exact as the first.
    """
    return Fraction(rate_rps).limit_denominator(10**9).as_integer_ratio()


def _poisson(segment: ArrivalSegment, source: random.Random) -> Iterator[int]:
    """Map the arrivals of a unit-rate Poisson process through the inverse of the segment's mean."""
    start_rps, end_rps = segment.rate_rps, _end_rate_rps(segment)
    duration_ns = segment.end_ns - segment.start_ns
    if duration_ns == 0:
        return
    slope = (end_rps - start_rps) * NS_PER_S / duration_ns  # requests per second, per second
    total = _mean(segment)
    mean = -math.log(1.0 - source.random())  # 1 - random() is never 0
    while mean < total:
        # The root of rate t + slope t^2 / 2 = mean, in the form that loses no digits where the slope is small.
        root = math.sqrt(max(start_rps * start_rps + 2.0 * slope * mean, 0.0))
        offset_ns = int(2.0 * mean / (start_rps + root) * NS_PER_S) if mean else 0
        yield segment.start_ns + min(offset_ns, duration_ns - 1)
        mean -= math.log(1.0 - source.random())


def _mean(segment: ArrivalSegment) -> float:
    return (segment.rate_rps + _end_rate_rps(segment)) / 2.0 * (segment.end_ns - segment.start_ns) / NS_PER_S


def _end_rate_rps(segment: ArrivalSegment) -> float:
    if segment.process is ArrivalProcess.RAMP and segment.end_rate_rps is not None:
        return segment.end_rate_rps
    return segment.rate_rps


def _check(segment: ArrivalSegment) -> None:
    if segment.end_ns < segment.start_ns:
        raise ValueError(f"the segment ends at {segment.end_ns} ns, before its start at {segment.start_ns} ns")
    if segment.process is ArrivalProcess.RAMP and segment.end_rate_rps is None:
        raise ValueError("a ramp needs end_rate_rps")
    for rate_rps in (segment.rate_rps, _end_rate_rps(segment)):
        if not 0 <= rate_rps < math.inf:
            raise ValueError(f"the rate {rate_rps} is not a finite number of at least 0")
