"""Exact bounds of a share and the decision that they allow.

A share of bad events passes when its one-sided Clopper-Pearson upper bound is at most the limit, fails when its lower
bound is above the limit, and is undecided otherwise. Both bounds are one-sided at the confidence asked for, so that a
false pass and a false fail each happen in at most 1 - confidence of the runs.

Counts may be real numbers: a sample of n requests that depend on each other is judged as one of fewer independent
ones (`effective_n`) with the same share, and the beta distribution behind the bounds does not ask for whole numbers.
Source: docs/explanation/verdicts.md
"""

import enum
import math
from dataclasses import dataclass

CONFIDENCE = 0.95
_NEVER = 1_000_000_000  # more requests than any run sends: past it, "needed" is not a figure to plan with


class Decision(enum.Enum):
    """What the bounds of a share allow to say about its limit."""

    PASS = "pass"  # noqa: S105 - a decision, not a password
    FAIL = "fail"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareBounds:
    """A share's point value and its one-sided bounds, all ratios; `value` is None and the bounds 0..1 without data."""

    value: float | None
    lower: float
    upper: float


def bounds_of_share(bad: float, n: float, confidence: float = CONFIDENCE) -> ShareBounds:
    """Return the one-sided Clopper-Pearson bounds of bad/n.

    bad, n: 0 <= bad <= n, finite; real where n is an effective size. n = 0 knows nothing: bounds 0 and 1.
    Raises ValueError outside those ranges: a NaN must never become a bound.
    """
    if not (math.isfinite(bad) and math.isfinite(n) and 0 <= bad <= n and 0 < confidence < 1):
        raise ValueError(f"no bounds of {bad} in {n} at confidence {confidence}: wants 0 <= bad <= n, all finite")
    if n == 0:
        return ShareBounds(value=None, lower=0.0, upper=1.0)
    from scipy.special import betaincinv

    lower = float(betaincinv(bad, n - bad + 1, 1 - confidence)) if bad > 0 else 0.0
    upper = float(betaincinv(bad + 1, n - bad, confidence)) if bad < n else 1.0
    return ShareBounds(value=bad / n, lower=lower, upper=upper)


def decide(bad: float, n: float, limit: float, confidence: float = CONFIDENCE) -> Decision:
    """Return what bad of n says about "the share of bad is at most `limit`". No data is undecided."""
    bounds = bounds_of_share(bad, n, confidence)
    if n == 0:
        return Decision.UNDECIDED
    if bounds.upper <= limit:
        return Decision.PASS
    return Decision.FAIL if bounds.lower > limit else Decision.UNDECIDED


def smallest_n_to_pass(limit: float, confidence: float = CONFIDENCE) -> int | None:
    """Return the fewest requests that pass when none is bad; None for a limit of 0, which no sample can prove."""
    if limit <= 0:
        return None
    if limit >= 1:
        return 1
    n = max(1, math.ceil(math.log(1 - confidence) / math.log1p(-limit)))
    return n if decide(0, n, limit, confidence) is Decision.PASS else n + 1  # a rounding error away from whole


def most_bad_that_passes(n: int, limit: float, confidence: float = CONFIDENCE) -> int | None:
    """Return the most bad requests of n with which the limit still passes; None where even 0 does not."""
    if decide(0, n, limit, confidence) is not Decision.PASS:
        return None
    low, high = 0, n
    while low < high:
        middle = (low + high + 1) // 2
        if decide(middle, n, limit, confidence) is Decision.PASS:
            low = middle
        else:
            high = middle - 1
    return low


def fewest_bad_that_fails(n: int, limit: float, confidence: float = CONFIDENCE) -> int | None:
    """Return the fewest bad requests of n with which the limit fails; None where even n do not."""
    if decide(n, n, limit, confidence) is not Decision.FAIL:
        return None
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if decide(middle, n, limit, confidence) is Decision.FAIL:
            high = middle
        else:
            low = middle + 1
    return low


def needed(bad: float, n: float, limit: float, confidence: float = CONFIDENCE) -> int | None:
    """Return about how many more requests would decide, if the share of bad stays where it was observed.

    An extrapolation, not a promise: the true share is as uncertain as the verdict. 0 when decided already; without
    data, the fewest that could pass; None where no number decides (the observed share is the limit itself).
    """
    if n == 0:
        return smallest_n_to_pass(limit, confidence)
    share = bad / n

    def decided(size: float) -> bool:
        return decide(share * size, size, limit, confidence) is not Decision.UNDECIDED

    if decided(n):
        return 0
    enough = n
    while not decided(enough):
        enough *= 2
        if enough > _NEVER:
            return None
    too_few = max(n, enough / 2)
    while enough - too_few > 1e-9 * enough and math.ceil(too_few) < math.ceil(enough):
        middle = (too_few + enough) / 2
        too_few, enough = (too_few, middle) if decided(middle) else (middle, enough)
    return max(1, math.ceil(enough - n - 1e-6))


def wilson_interval(hits: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the two-sided Wilson interval of hits/n, for people to look at; never to judge by. n: at least 1."""
    if not 0 <= hits <= n or n < 1:
        raise ValueError(f"no interval of {hits} in {n}")
    from scipy.special import ndtri

    z2 = float(ndtri((1 + confidence) / 2)) ** 2
    centre = (hits + z2 / 2) / (n + z2)
    reach = math.sqrt(z2 * (hits * (n - hits) / n + z2 / 4)) / (n + z2)
    return max(0.0, centre - reach), min(1.0, centre + reach)
