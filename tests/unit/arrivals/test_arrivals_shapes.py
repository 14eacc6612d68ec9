"""Steps, spikes, sines and traces: as many arrivals as the area under the rate, Poisson in time stretched by it, no memory."""

import math
from collections.abc import Callable
from itertools import pairwise
from statistics import mean, pvariance

import pytest

from harness.arrivals import arrivals_of, expected_between, expected_count, intended_ns, peak_rps
from harness.model.plan import ArrivalProcess, ArrivalSegment

S = 1_000_000_000


def shape(process: ArrivalProcess, **keys: object) -> ArrivalSegment:
    return ArrivalSegment(process=process, start_ns=10 * S, end_ns=510 * S, **{"rate_rps": 0.0, **keys})  # type: ignore[arg-type]


STEP = shape(ArrivalProcess.STEP, rate_rps=20.0, end_rate_rps=180.0, steps=5)
SPIKE = shape(ArrivalProcess.SPIKE, rate_rps=50.0, end_rate_rps=500.0, peak_at_ns=200 * S, peak_ns=50 * S)
SINE = shape(ArrivalProcess.SINE, rate_rps=100.0, end_rate_rps=180.0, period_ns=125 * S)


def step_rate(t: float) -> float:
    return (20, 60, 100, 140, 180)[int(t // 100)]


def spike_rate(t: float) -> float:
    return 500 if 200 <= t < 250 else 50


def sine_rate(t: float) -> float:
    return 100 + 80 * math.sin(2 * math.pi * t / 125)


CASES = [(STEP, step_rate, 50_000), (SPIKE, spike_rate, 47_500), (SINE, sine_rate, 50_000)]
cases = pytest.mark.parametrize(("part", "rate", "count"), CASES, ids=["step", "spike", "sine"])


def area(rate: Callable[[float], float]) -> list[float]:
    """The area under the rate at each tenth of a second, by plain sums."""
    total, areas = 0.0, [0.0]
    for tenth in range(5_000):
        total += rate(tenth / 10 + 0.05) / 10
        areas.append(total)
    return areas


@cases
def test_the_count_is_the_area_under_the_rate(part: ArrivalSegment, rate: Callable[[float], float], count: int) -> None:
    assert expected_count([part]) == pytest.approx(count)


@cases
@pytest.mark.parametrize(("start_s", "end_s"), [(0, 500), (0, 150.5), (90, 410), (199.5, 230), (499, 900), (-30, 0), (20, 20)])
def test_the_count_of_a_stretch_is_the_area_under_that_part_of_the_rate(
    part: ArrivalSegment, rate: Callable[[float], float], count: int, start_s: float, end_s: float
) -> None:
    areas = area(rate)
    first, last = (areas[round(min(max(edge, 0), 500) * 10)] for edge in (start_s, end_s))
    found = expected_between([part], round((10 + start_s) * S), round((10 + end_s) * S))
    assert found == pytest.approx(last - first, rel=1e-3, abs=1e-6)
    assert abs(len(intended_ns([part], 3)) - count) < 4 * math.sqrt(count)


@cases
def test_every_ten_seconds_hold_what_the_rate_says(part: ArrivalSegment, rate: Callable[[float], float], count: int) -> None:
    bins = [0] * 50
    for moment in intended_ns([part], 3):
        bins[(moment - part.start_ns) // (10 * S)] += 1
    for number, found in enumerate(bins):
        asked = sum(rate(number * 10 + tenth / 10 + 0.05) / 10 for tenth in range(100))
        assert abs(found - asked) < 4.5 * math.sqrt(asked), number


@cases
def test_the_dispersion_is_one_and_gaps_have_no_memory(part: ArrivalSegment, rate: Callable[[float], float], count: int) -> None:
    areas = area(rate)
    stretched = []
    for moment in intended_ns([part], 3):
        tenths = (moment - part.start_ns) / (S / 10)
        whole = int(tenths)
        stretched.append(areas[whole] + (areas[whole + 1] - areas[whole]) * (tenths - whole))
    bins = [0] * (count // 100)
    for place in stretched:
        bins[min(int(place // 100), len(bins) - 1)] += 1
    assert 0.75 < pvariance(bins) / mean(bins) < 1.25
    gaps = [b - a for a, b in pairwise(stretched)]
    left, right = gaps[:-1], gaps[1:]
    m = mean(gaps)
    lag_1 = mean((a - m) * (b - m) for a, b in zip(left, right, strict=True)) / pvariance(gaps)
    assert abs(lag_1) < 4 / math.sqrt(len(gaps))


@cases
def test_arrivals_are_sorted_within_the_segment_and_repeat_by_the_seed(
    part: ArrivalSegment, rate: Callable[[float], float], count: int
) -> None:
    arrivals = list(intended_ns([part], 3))
    assert arrivals == sorted(arrivals) == list(intended_ns([part], 3))
    assert part.start_ns <= arrivals[0] < arrivals[-1] < part.end_ns
    assert arrivals != list(intended_ns([part], 4))


TRACE = shape(
    ArrivalProcess.REPLAY,
    times_ns=(0, 5, 5, S, 400 * S, 499 * S, 500 * S, 501 * S),
    prompt_tokens=tuple(range(8)),
    max_tokens=tuple(range(10, 18)),
)


def test_a_trace_is_replayed_to_the_nanosecond_as_far_as_the_phase_lasts() -> None:
    told = arrivals_of([TRACE], 1)
    assert [moment - 10 * S for moment in told.intended_ns] == [0, 5, 5, S, 400 * S, 499 * S]
    assert list(told.prompt_tokens) == [0, 1, 2, 3, 4, 5]
    assert list(told.max_tokens) == [10, 11, 12, 13, 14, 15]
    assert expected_count([TRACE]) == 6
    assert [expected_between([TRACE], *span) for span in ((0, 10 * S + 5), (10 * S + 5, 11 * S + 1), (411 * S, 900 * S))] == [
        1,
        3,
        1,
    ]
    assert intended_ns([TRACE], 1) == intended_ns([TRACE], 2) == told.intended_ns


def test_what_a_trace_says_stays_with_its_moment_beside_other_arrivals() -> None:
    beside = ArrivalSegment(process=ArrivalProcess.CONSTANT, start_ns=10 * S + 3, end_ns=11 * S, rate_rps=1)
    told = arrivals_of([beside, TRACE], 1)
    assert list(told.intended_ns[:4]) == [10 * S, 10 * S + 3, 10 * S + 5, 10 * S + 5]
    assert list(told.prompt_tokens[:4]) == [0, -1, 1, 2]


@pytest.mark.parametrize(
    ("part", "peak"), [(STEP, 180), (SPIKE, 500), (SINE, 180), (TRACE, 3)], ids=["step", "spike", "sine", "trace"]
)
def test_the_peak_is_the_highest_rate_and_that_of_a_trace_its_busiest_second(part: ArrivalSegment, peak: float) -> None:
    assert peak_rps(part) == peak


def test_a_closed_loop_plans_no_arrival() -> None:
    loop = shape(ArrivalProcess.CLOSED, users=5, think_ns=S)
    assert not intended_ns([loop], 1)
    assert expected_count([loop]) == 0


@pytest.mark.parametrize(
    ("part", "complaint"),
    [
        (shape(ArrivalProcess.STEP, rate_rps=1.0, end_rate_rps=2.0), "one step"),
        (shape(ArrivalProcess.STEP, rate_rps=1.0, steps=2), "end_rate_rps"),
        (shape(ArrivalProcess.SPIKE, rate_rps=1.0, end_rate_rps=2.0), "peak_at_ns"),
        (shape(ArrivalProcess.SINE, rate_rps=1.0, end_rate_rps=1.5), "period_ns"),
        (shape(ArrivalProcess.SINE, rate_rps=1.0, end_rate_rps=2.5, period_ns=S), "below 0"),
        (shape(ArrivalProcess.REPLAY, times_ns=(2, 1)), "sorted"),
        (shape(ArrivalProcess.REPLAY, times_ns=(1, 2), prompt_tokens=(1,)), "of all"),
        (shape(ArrivalProcess.CLOSED), "one user"),
    ],
)
def test_a_shape_that_lacks_something_is_refused(part: ArrivalSegment, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        intended_ns([part], 1)
    with pytest.raises(ValueError, match=complaint):
        expected_count([part])
