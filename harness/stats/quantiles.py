"""Percentiles that were really observed, and the order statistics that enclose the true one."""

from bisect import bisect_left, bisect_right

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
    from scipy.special import bdtr

    nearest_rank(n, permille)  # the same ranges
    tail = (1 - confidence) / 2
    ranks = range(1, n + 1)

    def below(rank: int) -> float:
        """Chance that fewer than `rank` of the values lie below the percentile: climbs with the rank."""
        return float(bdtr(rank - 1, n, permille / 1000))

    low = bisect_right(ranks, tail, key=below)
    high = bisect_left(ranks, 1 - tail, key=below) + 1
    return (low or None, high if high <= n else None)
