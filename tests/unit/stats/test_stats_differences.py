"""Differences of shares: worked rows and laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.differences import Comparison, Share, bounds_of_difference, compare_shares

counts = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("old", "new", "effect", "said"),
    [
        ((0, 600), (0, 600), 0.03, Comparison.NOT_WORSE),
        ((6, 600), (60, 600), 0.03, Comparison.WORSE),
        ((6, 600), (18, 600), 0.03, Comparison.UNDECIDED),  # two points more: no accident, and not enough to matter
        ((0, 20), (0, 20), 0.03, Comparison.UNDECIDED),
        ((0, 20), (2, 20), 0.03, Comparison.UNDECIDED),
        ((60, 600), (6, 600), 0.03, Comparison.NOT_WORSE),
        ((0, 0), (0, 600), 0.03, Comparison.UNDECIDED),
        ((0, 600), (0, 0), 0.03, Comparison.UNDECIDED),
    ],
)
def test_worse_needs_significance_and_an_effect(
    old: tuple[int, int], new: tuple[int, int], effect: float, said: Comparison
) -> None:
    assert compare_shares(Share(bad=old[0], n=old[1]), Share(bad=new[0], n=new[1]), effect) is said


@given(counts, counts)
def test_the_bounds_enclose_the_difference(old: tuple[int, int], new: tuple[int, int]) -> None:
    bounds = bounds_of_difference(Share(bad=old[0], n=old[1]), Share(bad=new[0], n=new[1]))
    assert bounds.value is not None
    assert bounds.lower <= bounds.value <= bounds.upper


@given(counts, counts, st.integers(1, 50))
def test_one_more_bad_request_never_makes_a_regression_less_of_one(old: tuple[int, int], new: tuple[int, int], more: int) -> None:
    bad, n = new
    before = bounds_of_difference(Share(bad=old[0], n=old[1]), Share(bad=bad, n=n))
    after = bounds_of_difference(Share(bad=old[0], n=old[1]), Share(bad=min(n, bad + more), n=n))
    assert after.lower >= before.lower - 1e-9 or min(n, bad + more) == bad


@pytest.mark.parametrize("effect", [0.0, -0.1, 1.0, float("nan")])
def test_an_effect_that_is_none_is_refused(effect: float) -> None:
    with pytest.raises(ValueError, match="wants 0 < effect < 1"):
        compare_shares(Share(bad=0, n=10), Share(bad=0, n=10), effect)
