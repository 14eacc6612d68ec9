"""Is a run worse than another: surely and by enough, surely not, or not to be told."""

import math

import numpy as np
import pytest

from harness.compare.compare import _finding
from harness.compare.intervals import Figure, difference, mean, percentile, share
from harness.stats import wilson_interval


def figure(value: float, low: float, high: float) -> Figure:
    return Figure(value=value, low=low, high=high, n=100)


@pytest.mark.parametrize(("value", "low", "high", "finding"), [
    (0.05, 0.02, 0.08, "worse"),
    (0.005, 0.002, 0.008, "not worse"),  # surely different, and too little to matter
    (0.05, -0.01, 0.11, "undecided"),
    (0.0, -0.004, 0.004, "not worse"),
    (-0.05, -0.08, -0.02, "better"),
    (0.0, -0.05, 0.05, "undecided"),  # nothing was seen, and nothing is excluded
    (math.inf, 0.5, math.inf, "worse"),
    (0.0, -math.inf, math.inf, "undecided"),
])  # fmt: skip
def test_worse_needs_significance_and_a_minimum_effect(value: float, low: float, high: float, finding: str) -> None:
    assert _finding(value, low, high, 0.01).value == finding


def test_the_interval_of_two_shares_is_newcombes() -> None:
    # Newcombe 1998, table II, example (a): 56/70 against 48/80 by method 10 gives 0.2 (0.0524 to 0.3339)
    one, other = (figure(48 / 80, *wilson_interval(48, 80)), figure(56 / 70, *wilson_interval(56, 70)))
    value, low, high = difference(one, other)
    assert (round(value, 4), round(low, 4), round(high, 4)) == (0.2, 0.0524, 0.3339)


def test_a_percentile_that_never_came_in_one_run_is_surely_worse_than_one_that_did() -> None:
    value, low, high = difference(figure(2.0, 1.8, 2.2), figure(math.inf, math.inf, math.inf))
    assert (value, high) == (math.inf, math.inf)
    assert low > 0


def test_a_percentile_that_may_or_may_not_have_come_differs_by_what_its_interval_leaves() -> None:
    value, low, high = difference(figure(2.0, 1.8, 2.2), figure(math.inf, 3.0, math.inf))
    assert (value, high) == (math.inf, math.inf)
    assert low == pytest.approx(0.8)


def test_two_runs_without_answers_cannot_be_told_apart() -> None:
    assert difference(figure(math.inf, 1.0, math.inf), figure(math.inf, 1.0, math.inf)) == (0.0, -math.inf, math.inf)


def test_the_interval_of_a_percentile_holds_it_and_tells_when_there_is_too_little_for_an_end() -> None:
    values = np.linspace(0.1, 1.0, 1000)
    found = percentile(np.random.default_rng(1).permutation(values), 950, 0.95)
    assert found is not None
    assert 0.92 < found.low < found.value < found.high < 0.98
    few = percentile(values[:20], 950, 0.95)
    assert few is not None
    assert few.high == math.inf


def test_a_clustered_share_is_worth_less_than_a_spread_one() -> None:
    clustered, spread = np.zeros(1000, dtype=np.bool_), np.zeros(1000, dtype=np.bool_)
    clustered[400:450] = True
    spread[::20] = True
    wide, narrow = share(clustered, 0.95), share(spread, 0.95)
    assert wide is not None
    assert narrow is not None
    assert wide.value == narrow.value
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_nothing_is_no_figure() -> None:
    assert share(np.zeros(0, dtype=np.bool_), 0.95) is None
    assert percentile(np.zeros(0), 950, 0.95) is None
    assert mean(np.ones(1), 0.95) is None
