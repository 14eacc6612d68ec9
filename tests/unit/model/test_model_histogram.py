"""The mergeable histogram keeps its promise of precision."""

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from harness.model.histogram import bucket_of, merge, midpoint_ns, quantile_ns

values = st.integers(min_value=0, max_value=10**13)


@given(values)
def test_the_middle_of_a_values_bucket_is_within_a_sixty_fourth_of_it(value: int) -> None:
    assert abs(midpoint_ns(bucket_of(value)) - value) <= value / 64 + 1


@given(values, values)
def test_a_larger_value_never_has_a_smaller_bucket(a: int, b: int) -> None:
    assert (bucket_of(a) <= bucket_of(b)) or a > b


@given(st.lists(values, min_size=1, max_size=200), st.integers(min_value=1, max_value=1000))
def test_a_quantile_is_near_the_value_of_its_rank(sample: list[int], permille: int) -> None:
    histogram = Counter(bucket_of(value) for value in sample)
    truth = sorted(sample)[max(1, math.ceil(len(sample) * permille / 1000)) - 1]
    found = quantile_ns(histogram, permille)
    assert found is not None
    assert abs(found - truth) <= truth / 64 + 1


@given(st.lists(values, max_size=50), st.lists(values, max_size=50))
def test_merging_is_the_same_as_counting_together(a: list[int], b: list[int]) -> None:
    parts = [Counter(map(bucket_of, a)), Counter(map(bucket_of, b))]
    assert merge(parts) == Counter(map(bucket_of, a + b))


def test_nothing_counted_has_no_quantile() -> None:
    assert quantile_ns({}, 950) is None
