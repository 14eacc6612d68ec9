import math
from itertools import pairwise
from statistics import mean, pvariance

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.arrivals import expected_between, expected_count, intended_ns
from harness.model.plan import ArrivalProcess, ArrivalSegment

S = 1_000_000_000


def segment(
    process: ArrivalProcess, rate: float, seconds: float, *, start: float = 0, end_rate: float | None = None
) -> ArrivalSegment:
    if process is ArrivalProcess.SINE and end_rate is not None:
        end_rate = rate * (1 + end_rate / 200)  # within what a sine may swing
    closed, replay = process is ArrivalProcess.CLOSED, process is ArrivalProcess.REPLAY
    return ArrivalSegment(
        process=process,
        start_ns=round(start * S),
        end_ns=round((start + seconds) * S),
        rate_rps=0 if closed or replay else rate,
        end_rate_rps=None if closed or replay else end_rate,
        steps=3,
        peak_at_ns=S // 2,
        peak_ns=S,
        period_ns=2 * S,
        times_ns=tuple(range(0, 3 * S, S // 3)) if replay and rate and seconds else (),
        users=2,
    )


segments = st.builds(
    segment,
    st.sampled_from(ArrivalProcess),
    st.floats(0, 200),
    st.floats(0, 5),
    start=st.floats(0, 10),
    end_rate=st.floats(0, 200),
)


def counts(arrivals: list[int], window_ns: int, end_ns: int) -> list[int]:
    bins = [0] * (end_ns // window_ns)
    for moment in arrivals:
        bins[moment // window_ns] += 1
    return bins


def correlation(left: list[float], right: list[float]) -> float:
    a, b = mean(left), mean(right)
    return mean((x - a) * (y - b) for x, y in zip(left, right, strict=True)) / math.sqrt(pvariance(left) * pvariance(right))


@settings(deadline=None)
@given(st.lists(segments, max_size=4), st.integers(0, 2**64))
def test_arrivals_are_sorted_and_within_their_segments(parts: list[ArrivalSegment], seed: int) -> None:
    arrivals = list(intended_ns(parts, seed))
    assert arrivals == sorted(arrivals)
    assert all(any(part.start_ns <= moment < part.end_ns for part in parts) for moment in arrivals)


@settings(deadline=None)
@given(st.lists(segments, max_size=3), st.integers(0, 2**64))
def test_the_same_seed_gives_the_same_nanoseconds(parts: list[ArrivalSegment], seed: int) -> None:
    assert intended_ns(parts, seed) == intended_ns(parts, seed)


@settings(deadline=None)
@given(segments, segments, st.integers(0, 2**32))
def test_editing_a_later_segment_moves_no_arrival_of_an_earlier_one(
    first: ArrivalSegment, second: ArrivalSegment, seed: int
) -> None:
    alone = list(intended_ns([first], seed))
    both = list(intended_ns([first, second], seed))
    for moment in alone:
        both.remove(moment)


@settings(deadline=None)
@given(st.integers(1, 500), st.integers(1, 20))
def test_constant_arrivals_are_exactly_rate_times_time_and_evenly_spaced(rate: int, seconds: int) -> None:
    arrivals = list(intended_ns([segment(ArrivalProcess.CONSTANT, rate, seconds)], 1))
    assert len(arrivals) == rate * seconds == expected_count([segment(ArrivalProcess.CONSTANT, rate, seconds)])
    gaps = {b - a for a, b in pairwise(arrivals)}
    assert all(abs(gap - S / rate) <= 1 for gap in gaps)


def test_constant_arrivals_start_with_their_segment_and_do_not_drift() -> None:
    arrivals = intended_ns([segment(ArrivalProcess.CONSTANT, 3, 1000, start=7)], 1)
    assert arrivals[0] == 7 * S
    assert arrivals[2999] == 7 * S + 999_666_666_666  # a third of a nanosecond lost a thousand times would show


def test_a_rate_that_does_not_divide_the_segment_rounds_up_to_the_arrival_that_still_fits() -> None:
    part = segment(ArrivalProcess.CONSTANT, 2.5, 1)
    assert list(intended_ns([part], 1)) == [0, 400_000_000, 800_000_000]
    assert expected_count([part]) == 3


@pytest.mark.parametrize(("start_ns", "end_ns"), [(0, 9 * S), (S, 2 * S), (2_400_000_000, 2_800_000_000), (7, S + 1), (3 * S, S)])
def test_a_stretch_of_constant_arrivals_has_those_that_fall_due_in_it(start_ns: int, end_ns: int) -> None:
    part = segment(ArrivalProcess.CONSTANT, 2.5, 4, start=1)
    due = [moment for moment in intended_ns([part], 1) if start_ns <= moment < end_ns]
    assert expected_between([part], start_ns, end_ns) == len(due)


@pytest.mark.parametrize(
    ("rate", "seconds", "count"), [(0.1, 10, 1), (0.7, 10, 7), (1 / 3, 9, 3), (20 / 60, 60, 20), (1.1, 100, 110)]
)
def test_a_rate_without_an_exact_float_still_brings_its_exact_count(rate: float, seconds: int, count: int) -> None:
    part = segment(ArrivalProcess.CONSTANT, rate, seconds)
    assert len(intended_ns([part], 1)) == count == expected_count([part])


def test_poisson_arrivals_have_the_asked_rate_a_dispersion_of_one_and_no_memory() -> None:
    part = segment(ArrivalProcess.POISSON, 100, 1000)
    arrivals = list(intended_ns([part], 7))
    assert expected_count([part]) == pytest.approx(100_000)
    assert abs(len(arrivals) - 100_000) < 4 * math.sqrt(100_000)
    bins = counts(arrivals, S, part.end_ns)
    assert 0.8 < pvariance(bins) / mean(bins) < 1.2
    gaps = [float(b - a) for a, b in pairwise(arrivals)]
    assert abs(correlation(gaps[:-1], gaps[1:])) < 4 / math.sqrt(len(gaps))
    assert 0.97 < math.sqrt(pvariance(gaps)) / mean(gaps) < 1.03  # exponential gaps


def test_what_two_workers_take_of_a_poisson_schedule_adds_up_to_the_whole() -> None:
    arrivals = list(intended_ns([segment(ArrivalProcess.POISSON, 50, 10)], 3))
    assert sorted(arrivals[0::2] + arrivals[1::2]) == arrivals


def test_different_seeds_and_different_segments_are_not_copies_of_each_other() -> None:
    part = segment(ArrivalProcess.POISSON, 50, 100)
    later = segment(ArrivalProcess.POISSON, 50, 100, start=100)
    assert intended_ns([part], 1) != intended_ns([part], 2)
    both = list(intended_ns([part, later], 1))
    assert not {m for m in both if m < 100 * S} & {m - 100 * S for m in both if m >= 100 * S}


@pytest.mark.parametrize(("start", "end", "first_half"), [(0, 200, 0.25), (200, 0, 0.75), (100, 100, 0.5)])
def test_a_ramp_spreads_its_arrivals_as_its_rate_does(start: float, end: float, first_half: float) -> None:
    part = segment(ArrivalProcess.RAMP, start, 500, end_rate=end)
    arrivals = list(intended_ns([part], 11))
    assert expected_count([part]) == pytest.approx(50_000)
    assert abs(len(arrivals) - 50_000) < 4 * math.sqrt(50_000)
    assert sum(m < 250 * S for m in arrivals) / len(arrivals) == pytest.approx(first_half, abs=0.01)
    # In time stretched by its own mean, a ramp is a plain Poisson process: dispersion one there too.
    slope = (end - start) / 500
    stretched = [int(start * t + slope * t * t / 2) for t in (m / S for m in arrivals)]
    bins = [0] * 500
    for place in stretched:
        bins[min(place // 100, 499)] += 1
    assert 0.75 < pvariance(bins) / mean(bins) < 1.25


@pytest.mark.parametrize("process", ArrivalProcess)
def test_no_rate_or_no_time_brings_no_arrivals(process: ArrivalProcess) -> None:
    assert not intended_ns([segment(process, 0, 10, end_rate=0)], 1)
    assert not intended_ns([segment(process, 10, 0, end_rate=20)], 1)
    assert not intended_ns([], 1)


@pytest.mark.parametrize(
    ("part", "complaint"),
    [
        (segment(ArrivalProcess.POISSON, -1, 1), "-1"),
        (segment(ArrivalProcess.POISSON, math.inf, 1), "inf"),
        (segment(ArrivalProcess.CONSTANT, math.nan, 1), "nan"),
        (segment(ArrivalProcess.RAMP, 1, 1), "end_rate_rps"),
        (segment(ArrivalProcess.POISSON, 1, -1), "before its start"),
    ],
)
def test_a_segment_that_makes_no_sense_is_refused(part: ArrivalSegment, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        intended_ns([part], 1)
    with pytest.raises(ValueError, match=complaint):
        expected_count([part])
