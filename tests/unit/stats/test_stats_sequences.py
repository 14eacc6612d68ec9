"""A share that may be looked at whenever one likes: rarely wrong at the limit, and decided away from it."""

import math

import numpy as np
import pytest

from harness.stats import Decision
from harness.stats.sequences import decide_any_time, log_evidence


def first_decision(bad: np.ndarray, limit: float) -> Decision:
    """Look after every 20 requests, and stop at the first decision."""
    counts = bad.cumsum()
    looks = (decide_any_time(int(counts[n - 1]), n, limit) for n in range(20, bad.size + 1, 20))
    return next((decision for decision in looks if decision is not Decision.UNDECIDED), Decision.UNDECIDED)


def test_at_the_limit_it_is_wrong_in_fewer_than_one_run_of_twenty_however_often_one_looks() -> None:
    random = np.random.default_rng(3)
    found = [first_decision(random.random(1000) < 0.05, 0.05) for _ in range(120)]
    assert sum(decision is not Decision.UNDECIDED for decision in found) <= 8  # 2.4 expected; 13 or more with fixed bounds


@pytest.mark.parametrize(("share", "decision"), [(0.01, Decision.PASS), (0.12, Decision.FAIL)])
def test_away_from_the_limit_it_decides(share: float, decision: Decision) -> None:
    random = np.random.default_rng(4)
    assert {first_decision(random.random(1500) < share, 0.05) for _ in range(20)} == {decision}


def test_more_requests_are_needed_than_for_a_single_look() -> None:
    assert decide_any_time(0, 59, 0.05) is Decision.UNDECIDED
    assert decide_any_time(0, 74, 0.05) is Decision.PASS
    assert decide_any_time(0, 0, 0.05) is Decision.UNDECIDED


def test_the_evidence_is_worth_one_on_average_at_the_limit() -> None:
    n, limit = 40, 0.2
    for below in (True, False):
        mean = sum(
            math.comb(n, bad) * limit**bad * (1 - limit) ** (n - bad) * math.exp(log_evidence(bad, n, limit, below=below))
            for bad in range(n + 1)
        )
        assert mean == pytest.approx(1.0, abs=1e-9)  # a fair bet, so that Ville's inequality holds


@pytest.mark.parametrize(("bad", "n", "limit"), [(-1, 5, 0.05), (6, 5, 0.05), (0, 5, 0.0), (0, 5, 1.0)])
def test_counts_that_are_none_are_refused(bad: int, n: int, limit: float) -> None:
    with pytest.raises(ValueError, match="no evidence"):
        log_evidence(bad, n, limit, below=True)
