"""Percentiles that were observed, and the ranks that enclose the true one."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats import nearest_rank, rank_interval


@pytest.mark.parametrize(
    ("n", "permille", "rank"), [(1, 950, 1), (20, 950, 19), (100, 500, 50), (101, 500, 51), (1000, 999, 999)]
)
def test_the_nearest_rank_is_a_value_that_was_there(n: int, permille: int, rank: int) -> None:
    assert nearest_rank(n, permille) == rank


@pytest.mark.parametrize(("n", "permille"), [(0, 500), (10, 0), (10, 1001)])
def test_a_rank_outside_its_range_is_refused(n: int, permille: int) -> None:
    with pytest.raises(ValueError, match="no rank"):
        nearest_rank(n, permille)


@given(st.integers(1, 20_000), st.integers(1, 999))
def test_the_interval_encloses_the_rank(n: int, permille: int) -> None:
    low, high = rank_interval(n, permille)
    assert low is None or 1 <= low <= nearest_rank(n, permille)
    assert high is None or nearest_rank(n, permille) <= high <= n


def test_few_values_bound_no_high_percentile_from_above() -> None:
    assert rank_interval(20, 990)[1] is None


def test_the_interval_of_the_median_of_ten_is_the_textbooks() -> None:
    assert rank_interval(10, 500) == (2, 9)


def test_the_interval_covers_the_true_percentile_as_often_as_it_says() -> None:
    source = random.Random(7)
    low, high = rank_interval(400, 950)
    assert low is not None
    assert high is not None
    covered = 0
    for _ in range(600):
        values = sorted(source.random() for _ in range(400))
        covered += values[low - 1] <= 0.95 <= values[high - 1]
    assert covered / 600 >= 0.93
