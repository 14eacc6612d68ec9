"""A share that may be looked at after every request: bounds that hold at all times at once. Pure.

A bound made for one look is wrong when it is looked at until it says what one hopes for: tested every 50 requests up to
2,000 at a true share that is the limit, it passes wrongly in one run of five. Here the evidence is an e-process: the
likelihood of the counts under a mixture of shares on one side of the limit, over their likelihood at the limit. While
the truth is the limit or beyond it, that ratio is a supermartingale of mean 1 at most, so that it ever reaches 1/alpha
in at most alpha of the runs (Ville), whenever and however often somebody looks.
Source: H. Robbins, Annals of Mathematical Statistics 41 (1970); Howard and Ramdas, Annals of Statistics 49 (2021).
"""

import math

from harness.stats.bounds import CONFIDENCE, Decision

PRIOR = 0.5
"""Jeffreys' prior: it spreads over shares near nought as well as over those near the limit."""


def log_evidence(bad: int, n: int, limit: float, *, below: bool) -> float:
    """Return the log of the evidence that the share is below (or above) the limit. Raises ValueError on no such counts."""
    if not (0 <= bad <= n and 0 < limit < 1):
        raise ValueError(f"no evidence from {bad} of {n} about a limit of {limit}: wants 0 <= bad <= n and 0 < limit < 1")
    from scipy.special import betainc, betaln

    inside, prior = (float(betainc(a, b, limit)) for a, b in ((bad + PRIOR, n - bad + PRIOR), (PRIOR, PRIOR)))
    mass, prior_mass = (inside, prior) if below else (1 - inside, 1 - prior)
    if mass <= 0:
        return -math.inf
    at_limit = bad * math.log(limit) + (n - bad) * math.log1p(-limit)
    mixture = float(betaln(bad + PRIOR, n - bad + PRIOR) - betaln(PRIOR, PRIOR)) + math.log(mass) - math.log(prior_mass)
    return mixture - at_limit


def decide_any_time(bad: int, n: int, limit: float, confidence: float = CONFIDENCE) -> Decision:
    """Return what bad of n says about "the share is at most the limit", to be asked as often as one likes.

    The requests must not depend on each other: clusters are evidence counted twice.
    """
    enough = -math.log(1 - confidence)
    if n and log_evidence(bad, n, limit, below=True) >= enough:
        return Decision.PASS
    if n and log_evidence(bad, n, limit, below=False) >= enough:
        return Decision.FAIL
    return Decision.UNDECIDED
