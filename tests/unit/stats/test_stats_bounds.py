"""The table of `docs/explanation/verdicts.md`, and the laws behind it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats import (
    Decision,
    bounds_of_share,
    chance_of_fail,
    chance_of_pass,
    decide,
    fewest_bad_that_fails,
    most_bad_that_passes,
    needed,
    recovery_probability_proved,
    requests_for_fail,
    requests_for_pass,
    smallest_n_to_pass,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("n", "passes_up_to", "fails_from"),
    [(20, None, 4), (50, None, 6), (58, None, 7), (59, 0, 7), (100, 1, 10), (200, 4, 16), (500, 16, 34), (1000, 38, 63)],
)
def test_the_table_of_a_five_percent_limit_holds(n: int, passes_up_to: int | None, fails_from: int) -> None:
    assert most_bad_that_passes(n, 0.05) == passes_up_to
    assert fewest_bad_that_fails(n, 0.05) == fails_from


@pytest.mark.parametrize(("true_share", "table"), [(0.01, 155), (0.02, 336), (0.03, 856), (0.04, 3787)])
def test_the_table_of_requests_for_a_pass_holds(true_share: float, table: int) -> None:
    assert chance_of_pass(table, 0.05, true_share) >= 0.9
    fewest = requests_for_pass(0.05, true_share)
    assert fewest is not None
    assert 0.9 * table <= fewest <= table  # the chance is a saw-tooth: some smaller sizes reach 90 % too
    assert chance_of_pass(fewest, 0.05, true_share) >= 0.9
    assert chance_of_pass(fewest - 1, 0.05, true_share) < 0.9


@pytest.mark.parametrize(("true_share", "table"), [(0.07, 1233), (0.10, 233)])
def test_the_table_of_requests_for_a_fail_holds(true_share: float, table: int) -> None:
    assert chance_of_fail(table, 0.05, true_share) >= 0.9
    fewest = requests_for_fail(0.05, true_share)
    assert fewest is not None
    assert 0.9 * table <= fewest <= table


def test_a_run_of_a_hundred_at_six_percent_bad_passes_once_in_seventy() -> None:
    assert chance_of_pass(100, 0.05, 0.06) == pytest.approx(0.015, abs=0.001)


def test_a_thousand_requests_at_the_limit_pass_in_less_than_five_percent_of_the_runs() -> None:
    assert chance_of_pass(1000, 0.05, 0.05) == pytest.approx(0.043, abs=0.001)


def test_no_number_of_requests_passes_at_or_above_the_limit() -> None:
    assert requests_for_pass(0.05, 0.05) is None
    assert requests_for_pass(0.05, 0.2) is None
    assert requests_for_fail(0.05, 0.05) is None


@pytest.mark.parametrize(("drills", "proved"), [(0, 0.0), (3, 0.37), (5, 0.55), (14, 0.81), (59, 0.95)])
def test_clean_drills_prove_only_so_much(drills: int, proved: float) -> None:
    assert recovery_probability_proved(drills) == pytest.approx(proved, abs=0.005)


@pytest.mark.parametrize(("limit", "smallest"), [(0.05, 59), (0.01, 299), (0.5, 5), (1.0, 1), (0.0, None)])
def test_the_smallest_run_that_can_pass_is_known(limit: float, smallest: int | None) -> None:
    assert smallest_n_to_pass(limit) == smallest


@given(st.floats(0.001, 0.999))
def test_one_request_less_than_the_smallest_cannot_pass(limit: float) -> None:
    smallest = smallest_n_to_pass(limit)
    assert smallest is not None
    assert decide(0, smallest, limit) is Decision.PASS
    assert smallest == 1 or decide(0, smallest - 1, limit) is Decision.UNDECIDED


ORDER = [Decision.PASS, Decision.UNDECIDED, Decision.FAIL]


@given(st.integers(0, 5000), st.data(), st.floats(0, 1))
def test_one_more_bad_request_never_improves_a_decision(n: int, data: st.DataObject, limit: float) -> None:
    bad = data.draw(st.integers(0, max(0, n - 1)))
    if n:
        assert ORDER.index(decide(bad + 1, n, limit)) >= ORDER.index(decide(bad, n, limit))


@given(st.floats(0, 1))
def test_no_data_decides_nothing(limit: float) -> None:
    assert decide(0, 0, limit) is Decision.UNDECIDED


def test_known_bounds_are_met() -> None:
    bounds = bounds_of_share(3, 1200)  # the example of the contract
    assert bounds.upper == pytest.approx(0.00645, abs=1e-5)
    assert bounds.lower == pytest.approx(0.00068, abs=1e-5)
    assert bounds_of_share(0, 59).lower == 0.0
    assert bounds_of_share(59, 59).upper == 1.0


@pytest.mark.parametrize(("bad", "n"), [(math.nan, 10), (1, math.nan), (2, 1), (-1, 10), (1, math.inf)])
def test_what_is_no_count_has_no_bounds(bad: float, n: float) -> None:
    with pytest.raises(ValueError, match="no bounds of"):
        bounds_of_share(bad, n)


def test_a_decided_share_needs_nothing_more() -> None:
    assert needed(0, 59, 0.05) == 0
    assert needed(50, 100, 0.05) == 0


def test_a_clean_run_that_is_too_short_needs_the_rest_of_fifty_nine() -> None:
    assert needed(0, 20, 0.05) == 39
    assert needed(0, 0, 0.05) == 59


def test_a_share_on_its_limit_is_never_decided() -> None:
    assert needed(5, 100, 0.05) is None


@given(st.integers(1, 400), st.data())
def test_what_is_needed_decides_at_the_observed_share(n: int, data: st.DataObject) -> None:
    bad = data.draw(st.integers(0, n))
    more = needed(bad, n, 0.05)
    if more:
        assert decide(bad * (n + more) / n, n + more, 0.05) is not Decision.UNDECIDED
        assert decide(bad, n, 0.05) is Decision.UNDECIDED


def test_the_wilson_interval_of_none_in_ten_is_the_textbooks() -> None:
    low, high = wilson_interval(0, 10)
    assert low == 0.0
    assert high == pytest.approx(0.2775, abs=1e-4)
