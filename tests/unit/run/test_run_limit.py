from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.run.limit import MOST_RUNS, find_limit


def breaks_above(limit: float) -> Callable[[float], str]:
    return lambda rate: "pass" if rate <= limit else "fail"


@given(st.floats(10, 1000))
def test_the_limit_lies_in_the_interval_which_is_as_narrow_as_was_asked(limit: float) -> None:
    found = find_limit(breaks_above(limit), from_rps=10, to_rps=2000, within=0.1)
    assert found.met_rps is not None
    assert found.broke_rps is not None
    assert found.met_rps <= limit < found.broke_rps
    assert found.broke_rps <= found.met_rps * 1.101
    assert len(found.tried) <= MOST_RUNS
    assert len({tried.rate_rps for tried in found.tried}) == len(found.tried)


def test_a_target_that_fails_at_once_has_no_limit_that_anybody_saw() -> None:
    found = find_limit(breaks_above(5), from_rps=10, to_rps=100, within=0.1)
    assert (found.met_rps, found.broke_rps, len(found.tried)) == (None, 10, 1)
    assert "no rate passed" in found.sentence()


def test_a_target_that_holds_everything_has_an_open_end() -> None:
    found = find_limit(breaks_above(1e9), from_rps=10, to_rps=100, within=0.1)
    assert (found.met_rps, found.broke_rps) == (100, None)
    assert [tried.rate_rps for tried in found.tried] == [10, 20, 40, 80, 100]
    assert "up to 100/s" in found.sentence()


def test_what_could_not_be_decided_is_neither_met_nor_broken() -> None:
    def verdict(rate: float) -> str:
        return "pass" if rate <= 40 else "inconclusive" if rate < 60 else "fail"

    found = find_limit(verdict, from_rps=10, to_rps=500, within=0.1)
    assert found.met_rps is not None
    assert found.met_rps <= 40
    assert found.broke_rps == 60
    assert found.undecided_rps
    assert "not decided" in found.sentence()


def test_a_generator_that_breaks_first_ends_the_search_without_blaming_the_target() -> None:
    found = find_limit(lambda rate: "pass" if rate <= 40 else "invalid", from_rps=10, to_rps=500, within=0.1)
    assert (found.met_rps, found.broke_rps) == (40, None)
    assert "generator" in found.sentence()


def test_trouble_of_a_run_is_not_swallowed() -> None:
    def raising(rate: float) -> str:
        raise RuntimeError("no stack")

    with pytest.raises(RuntimeError):
        find_limit(raising, from_rps=10, to_rps=20, within=0.1)
