"""A figure with its two-sided interval, and the interval of the difference of two figures. Pure."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.stats import effective_n, nearest_rank, rank_interval, wilson_interval

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A value with its interval; infinity stands for "not within any time". n: how many requests it was made of."""

    value: float
    low: float
    high: float
    n: int


def share(bad: "npt.NDArray[np.bool_]", confidence: float) -> Figure | None:
    """Return a share with its Wilson interval, at the effective size of its sequence. bad: in order of intended time."""
    n = int(bad.size)
    if n == 0:
        return None
    value = float(bad.mean())
    worth = max(1, round(effective_n(bad)))
    low, high = wilson_interval(min(worth, round(value * worth)), worth, confidence)
    return Figure(value=value, low=min(low, value), high=max(high, value), n=n)


def percentile(values: "npt.NDArray[np.float64]", permille: int, confidence: float) -> Figure | None:
    """Return a nearest-rank percentile with its order-statistic interval, widened for clusters of slow requests.

    values: in order of intended time; infinity is a request that was not answered.
    """
    import numpy as np

    n = int(values.size)
    if n == 0:
        return None
    ordered = np.sort(values)
    value = float(ordered[nearest_rank(n, permille) - 1])
    worth = max(1, math.floor(effective_n(values > value)))
    low_rank, high_rank = rank_interval(worth, permille, confidence)
    low = float(ordered[min(n - 1, (low_rank - 1) * n // worth)]) if low_rank else 0.0
    high = float(ordered[min(n - 1, -(-high_rank * n // worth) - 1)]) if high_rank else math.inf
    return Figure(value=value, low=min(low, value), high=max(high, value), n=n)


def mean(values: "npt.NDArray[np.float64]", confidence: float) -> Figure | None:
    """Return a mean with its normal interval; None below two values."""
    import numpy as np
    from scipy.special import ndtri

    data = np.asarray(values, dtype=np.float64)
    if data.size < 2:
        return None
    reach = float(ndtri((1 + confidence) / 2)) * float(data.std(ddof=1)) / math.sqrt(data.size)
    value = float(data.mean())
    return Figure(value=value, low=value - reach, high=value + reach, n=int(data.size))


def difference(base: Figure, new: Figure) -> tuple[float, float, float]:
    """Return new - base with its interval, from the two intervals: the method of variance estimates recovery.

    Two figures that are both infinite differ by nothing that can be known: the interval is then without ends.
    Source: G. Y. Zou and A. Donner, Statistics in Medicine 27 (2008); for shares it is Newcombe's method 10.
    """
    if math.isinf(base.value) and math.isinf(new.value):
        return 0.0, -math.inf, math.inf
    if math.isinf(new.value):  # never in the new run: at least what the two intervals leave between them
        return math.inf, _minus(new.low, base.high), math.inf
    if math.isinf(base.value):
        return -math.inf, -math.inf, _minus(new.high, base.low)
    value = new.value - base.value
    low = value - math.hypot(_gap(new.value, new.low), _gap(base.high, base.value))
    high = value + math.hypot(_gap(new.high, new.value), _gap(base.value, base.low))
    return value, low, high


def _minus(one: float, other: float) -> float:
    return -math.inf if math.isinf(one) and math.isinf(other) else one - other


def _gap(upper: float, lower: float) -> float:
    return 0.0 if upper == lower else upper - lower
