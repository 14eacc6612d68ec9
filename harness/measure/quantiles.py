"""Nearest-rank quantiles of durations, failures counted as +infinity, with their order-statistic intervals."""

from collections.abc import Sequence

import numpy as np

from harness.measure.requests import Floats
from harness.model.measurement import Quantile
from harness.model.units import NS_PER_S
from harness.stats import nearest_rank, rank_interval

SHOWN_PERMILLE = (500, 900, 950, 990)


def quantiles_of(durations_ns: Floats, permille: Sequence[int] = SHOWN_PERMILLE) -> tuple[Quantile, ...]:
    """Return the quantiles of durations; +infinity and NaN both mean "never", shown as None. None of no durations."""
    ordered = np.array(durations_ns, dtype=np.float64)  # a copy, which is put in order as far as it is asked for
    np.copyto(ordered, np.inf, where=np.isnan(ordered))
    n = ordered.size
    if n == 0:
        return tuple(Quantile(permille=p, value_s=None, low_s=None, high_s=None) for p in permille)
    ranks = [(nearest_rank(n, p), *rank_interval(n, p)) for p in permille]
    wanted = sorted({rank - 1 for triple in ranks for rank in triple if rank is not None})
    _place(ordered, wanted)

    def seconds(rank: int | None) -> float | None:
        if rank is None or not np.isfinite(ordered[rank - 1]):
            return None
        return float(ordered[rank - 1]) / NS_PER_S

    return tuple(
        Quantile(permille=p, value_s=seconds(rank), low_s=seconds(low), high_s=seconds(high))
        for p, (rank, low, high) in zip(permille, ranks, strict=True)
    )


def _place(values: Floats, ranks: Sequence[int]) -> None:
    """Put the values of these ranks (from 0, ascending) where they would stand if all were sorted, in place.

    Rank by rank, the middle one first: NumPy has a vectorised search for one rank, and none for several at once.
    """
    if not ranks:
        return
    middle = len(ranks) // 2
    rank = ranks[middle]
    values.partition(rank)
    _place(values[:rank], ranks[:middle])
    _place(values[rank + 1 :], [later - rank - 1 for later in ranks[middle + 1 :]])


def values_at_s(durations_ns: Floats, permille: Sequence[int]) -> list[float | None]:
    """Return the nearest-rank quantiles alone, in seconds; None where it was never, or there was nothing.

    durations_ns: an array that nobody else holds; it is put in order.
    """
    if durations_ns.size == 0:
        return [None] * len(permille)
    durations_ns.sort()  # NaN goes last, beside infinity
    values = (float(durations_ns[nearest_rank(durations_ns.size, p) - 1]) for p in permille)
    return [value / NS_PER_S if np.isfinite(value) else None for value in values]
