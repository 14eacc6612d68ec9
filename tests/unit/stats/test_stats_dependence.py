"""Clusters of failures are worth less than the same number spread out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.stats import Decision, cautious_n, decide, effective_n


@given(arrays(np.bool_, st.integers(0, 300)))
def test_the_effective_size_is_never_above_the_size_and_never_below_nothing(bad: np.ndarray) -> None:
    worth = effective_n(bad)
    assert 0 <= worth <= bad.size
    assert worth > 0 or bad.size == 0


def test_a_sequence_without_bad_ones_counts_in_full() -> None:
    assert effective_n(np.zeros(59, dtype=bool)) == 59


def test_one_cluster_is_worth_much_less_than_the_same_spread_out() -> None:
    clustered, spread = np.zeros(1000, dtype=bool), np.zeros(1000, dtype=bool)
    clustered[400:440] = True
    spread[::25] = True
    assert effective_n(clustered) < 60
    assert effective_n(spread) == 1000


def test_caution_takes_nothing_from_a_run_without_clusters_and_most_from_one_that_saw_few() -> None:
    assert cautious_n(np.zeros(59, dtype=bool)) == 59
    spread, one, many = (np.zeros(n, dtype=bool) for n in (1000, 1000, 40_000))
    spread[::25] = True
    one[400:440] = True
    many.reshape(40, 1000)[:, 400:440] = True
    assert cautious_n(spread) == 1000
    assert cautious_n(one) < effective_n(one) / 3
    assert cautious_n(many) > effective_n(many) / 2


@given(arrays(np.bool_, st.integers(0, 300)))
def test_caution_never_counts_for_more(bad: np.ndarray) -> None:
    worth = cautious_n(bad)
    assert 0 <= worth <= effective_n(bad)
    assert worth > 0 or bad.size == 0


@pytest.mark.parametrize(("together", "n"), [(8, 2000), (15, 4000)])
def test_a_share_that_is_at_its_limit_passes_as_seldom_as_stated_however_its_failures_come(together: int, n: int) -> None:
    rng = np.random.default_rng(12)
    runs = 400
    passed = 0
    for _ in range(runs):
        bad = np.repeat(rng.random(n // together) < 0.05, together)
        worth = cautious_n(bad)
        passed += decide(bad.mean() * worth, worth, 0.05) is Decision.PASS
    assert passed / runs < 0.05


def test_a_long_sequence_is_judged_alike_in_batches() -> None:
    rng = np.random.default_rng(3)
    runs = np.repeat(rng.random(20_000) < 0.05, 50)  # a million requests that fail fifty at a time
    assert effective_n(runs) == pytest.approx(20_000, rel=0.15)
    assert effective_n(rng.random(1_000_000) < 0.05) > 700_000


def test_dependent_failures_at_the_limit_pass_about_as_seldom_as_stated() -> None:
    rng = np.random.default_rng(11)
    runs, n = 300, 2000
    plain = corrected = 0
    for _ in range(runs):
        bad = np.repeat(rng.random(n // 8) < 0.05, 8)  # failures come eight at a time
        worth = effective_n(bad)
        plain += decide(int(bad.sum()), n, 0.05) is Decision.PASS
        corrected += decide(bad.mean() * worth, worth, 0.05) is Decision.PASS
    assert plain / runs > 0.15
    assert corrected / runs < 0.09


@given(st.integers(1, 3000), st.data(), st.floats(0.001, 1))
def test_counting_a_sequence_for_less_never_decides_what_its_plain_counts_do_not(
    n: int, data: st.DataObject, share_of_n: float
) -> None:
    bad = data.draw(st.integers(0, n))
    worth = n * share_of_n
    discounted = decide(bad * share_of_n, worth, 0.05)
    assert discounted in (Decision.UNDECIDED, decide(bad, n, 0.05))
