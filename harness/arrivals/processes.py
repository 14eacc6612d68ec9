"""From segments and a seed to the moments of every arrival."""

import bisect
import math
import random
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from harness.arrivals.rates import pieces_of
from harness.model.plan import ArrivalProcess, ArrivalSegment
from harness.model.units import NS_PER_S

_WITH_TWO_RATES = (ArrivalProcess.RAMP, ArrivalProcess.STEP, ArrivalProcess.SPIKE, ArrivalProcess.SINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Every arrival of a run, in the order they fall due; flat arrays of one length.

    intended_ns: from the run's zero. prompt_tokens, max_tokens: what a trace says of the request, -1 where nothing does.
    """

    intended_ns: "array[int]"
    prompt_tokens: "array[int]"
    max_tokens: "array[int]"


def intended_ns(segments: Sequence[ArrivalSegment], seed: int) -> "array[int]":
    """Return every arrival of the run: sorted nanoseconds from the run's zero, the same for the same seed.

    CONSTANT puts one arrival at the start of each period. REPLAY gives the moments of its trace, as far as they lie
    within the segment. CLOSED gives none: its requests are not planned. All others are Poisson processes, exact by
    inversion of the mean (no thinning). Each segment has randomness of its own: editing one moves no other. Segments
    may overlap. Raises ValueError on a segment that ends before it starts or whose process lacks what it needs.
    """
    moments = array("q")
    for number, segment in enumerate(segments):
        moments.extend(_moments(segment, random.Random(f"arrivals/{seed}/{number}")))
    return array("q", sorted(moments))


def arrivals_of(segments: Sequence[ArrivalSegment], seed: int) -> Arrivals:
    """Return the moments of `intended_ns`, and what a trace says of each request. Raises ValueError as it does."""
    if not any(segment.prompt_tokens or segment.max_tokens for segment in segments):
        moments = intended_ns(segments, seed)
        nothing = array("i", [-1]) * len(moments)
        return Arrivals(intended_ns=moments, prompt_tokens=nothing, max_tokens=nothing)
    rows: list[tuple[int, int, int]] = []
    for number, segment in enumerate(segments):
        for place, moment in enumerate(_moments(segment, random.Random(f"arrivals/{seed}/{number}"))):
            prompt = segment.prompt_tokens[place] if segment.prompt_tokens else -1
            longest = segment.max_tokens[place] if segment.max_tokens else -1
            rows.append((moment, prompt, longest))
    rows.sort(key=lambda row: row[0])
    return Arrivals(
        intended_ns=array("q", (row[0] for row in rows)),
        prompt_tokens=array("i", (row[1] for row in rows)),
        max_tokens=array("i", (row[2] for row in rows)),
    )


def expected_count(segments: Sequence[ArrivalSegment]) -> float:
    """Return how many arrivals the segments bring: exact for CONSTANT and REPLAY, the mean of the process for the others.

    A closed loop counts as none: how often its users ask depends on the answers.
    """
    return sum((_expected_before(segment, segment.end_ns) for segment in segments), 0.0)


def expected_between(segments: Sequence[ArrivalSegment], start_ns: int, end_ns: int) -> float:
    """Return how many of the arrivals of `expected_count` fall due in [start_ns, end_ns), from the run's zero."""
    return sum((_expected_before(s, end_ns) - _expected_before(s, start_ns) for s in segments), 0.0) if start_ns < end_ns else 0.0


def _expected_before(segment: ArrivalSegment, moment_ns: int) -> float:
    _check(segment)
    offset_ns = min(max(moment_ns, segment.start_ns), segment.end_ns) - segment.start_ns
    match segment.process:
        case ArrivalProcess.CONSTANT:
            return _constant_count(segment, offset_ns)
        case ArrivalProcess.REPLAY:
            return bisect.bisect_left(segment.times_ns, offset_ns)
        case ArrivalProcess.CLOSED:
            return 0.0
        case _:
            return sum(piece.mean_until(offset_ns - piece.offset_ns) for piece in pieces_of(segment))


def _moments(segment: ArrivalSegment, source: random.Random) -> Iterator[int]:
    _check(segment)
    match segment.process:
        case ArrivalProcess.CONSTANT:
            return _constant(segment)
        case ArrivalProcess.REPLAY:
            return _replay(segment)
        case ArrivalProcess.CLOSED:
            return iter(())
        case _:
            return _poisson(segment, source)


def _constant(segment: ArrivalSegment) -> Iterator[int]:
    rate, per = _ratio(segment.rate_rps)
    if rate:
        for k in range(_constant_count(segment, segment.end_ns - segment.start_ns)):
            yield segment.start_ns + k * NS_PER_S * per // rate


def _constant_count(segment: ArrivalSegment, offset_ns: int) -> int:
    """Return the number of k with floor(k / rate) < offset."""
    rate, per = _ratio(segment.rate_rps)
    return -(-offset_ns * rate // (NS_PER_S * per))


def _ratio(rate_rps: float) -> tuple[int, int]:
    """Return a rate as the fraction that was meant: 0.1 is 1/10, so that ten seconds of it hold one arrival, not two.

    Integers, because then the millionth arrival is as exact as the first.
    """
    return Fraction(rate_rps).limit_denominator(10**9).as_integer_ratio()


def _replay(segment: ArrivalSegment) -> Iterator[int]:
    end_ns = segment.end_ns - segment.start_ns
    return (segment.start_ns + moment_ns for moment_ns in segment.times_ns if moment_ns < end_ns)


def _poisson(segment: ArrivalSegment, source: random.Random) -> Iterator[int]:
    """Map the arrivals of a unit-rate Poisson process through the inverse of the segment's mean, piece after piece."""
    mean = -math.log(1.0 - source.random())  # 1 - random() is never 0
    for piece in pieces_of(segment):
        total = piece.mean
        while mean < total:
            yield segment.start_ns + piece.offset_of(mean)
            mean -= math.log(1.0 - source.random())
        mean -= total  # what is left of this gap is spent in the next piece: the process has no memory


def _check(segment: ArrivalSegment) -> None:
    _check_rates(segment)
    _check_shape(segment)


def _check_rates(segment: ArrivalSegment) -> None:
    process, end_rps = segment.process, segment.end_rate_rps
    if segment.end_ns < segment.start_ns:
        raise ValueError(f"the segment ends at {segment.end_ns} ns, before its start at {segment.start_ns} ns")
    if process in _WITH_TWO_RATES and end_rps is None:
        raise ValueError(f"a {process.value} needs end_rate_rps")
    for rate_rps in (segment.rate_rps, 0.0 if end_rps is None else end_rps):
        if not 0 <= rate_rps < math.inf:
            raise ValueError(f"the rate {rate_rps} is not a finite number of at least 0")


def _check_shape(segment: ArrivalSegment) -> None:
    process, end_rps = segment.process, segment.end_rate_rps
    if process is ArrivalProcess.STEP and (segment.steps or 0) < 1:
        raise ValueError("a step process needs at least one step")
    if process is ArrivalProcess.SPIKE and (segment.peak_at_ns is None or segment.peak_ns is None):
        raise ValueError("a spike needs peak_at_ns and peak_ns")
    if process is ArrivalProcess.SINE:
        if not segment.period_ns or segment.period_ns < 0:
            raise ValueError("a sine needs a period_ns above 0")
        if end_rps is not None and not segment.rate_rps <= end_rps <= 2 * segment.rate_rps:
            raise ValueError("the peak of a sine lies between its mean rate and twice that, or its rate would fall below 0")
    if process is ArrivalProcess.REPLAY and any(a > b for a, b in zip(segment.times_ns, segment.times_ns[1:], strict=False)):
        raise ValueError("the moments of a trace must be sorted")
    for column in (segment.prompt_tokens, segment.max_tokens):
        if column and len(column) != len(segment.times_ns):
            raise ValueError("a trace says the tokens of all of its requests or of none")
    if process is ArrivalProcess.CLOSED and (segment.users or 0) < 1:
        raise ValueError("a closed loop needs at least one user")
