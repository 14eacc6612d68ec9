"""Percentiles that were really observed, and the order statistics that enclose the true one."""

import math

from harness.stats.bounds import CONFIDENCE


def nearest_rank(n: int, permille: int) -> int:
    """Return the 1-based rank of the nearest-rank percentile among n values in ascending order.

    n: at least 1; permille: 1..1000. Raises ValueError outside those ranges.
    """
    if n < 1 or not 1 <= permille <= 1000:
        raise ValueError(f"no rank of {permille} permille among {n} values: wants n >= 1 and permille in 1..1000")
    return max(1, -(-n * permille // 1000))


def rank_interval(n: int, permille: int, confidence: float = CONFIDENCE) -> tuple[int | None, int | None]:
    """Return the 1-based ranks (low, high) of the values that enclose the true percentile, two-sided, free of shape.

    low is None where no value is surely below it, high where none is surely above it: too few values for that side.
    Source: the binomial distribution of how many of n values lie below a percentile.
    """
    import numpy as np
    from scipy.special import bdtr

    nearest_rank(n, permille)  # the same ranges
    tail = (1 - confidence) / 2
    share = permille / 1000
    reach = math.ceil(8 * math.sqrt(n * share * (1 - share))) + 8
    ranks = np.arange(max(1, math.floor(n * share) - reach), min(n, math.ceil(n * share) + reach) + 1)
    below = bdtr(ranks - 1.0, n, share)  # chance that fewer than `rank` values lie below the percentile
    low = ranks[below <= tail]
    high = ranks[below >= 1 - tail]
    return (int(low[-1]) if low.size else None, int(high[0]) if high.size else None)
