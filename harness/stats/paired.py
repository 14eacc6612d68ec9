"""Differences within pairs, and many tests at once: Student's interval over pairs, Holm's correction. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedMean:
    """The mean of differences with its one-sided bounds. p_value: of "the mean is at most nought"."""

    value: float
    lower: float
    upper: float
    p_value: float
    pairs: int


def paired_mean(differences: "npt.NDArray[np.float64]", confidence: float) -> PairedMean:
    """Return the mean difference, its bounds by Student's t over the pairs. Raises ValueError below two pairs, or on NaN."""
    pairs = int(differences.size)
    if pairs < 2 or not all(map(math.isfinite, differences)):
        raise ValueError(f"no mean of {pairs} differences: wants two or more, all finite")
    from scipy.special import stdtr, stdtrit

    value = float(differences.mean())
    error = float(differences.std(ddof=1)) / math.sqrt(pairs)
    if error == 0:  # each pair says the same: as many heads in a row as there are pairs
        return PairedMean(value=value, lower=value, upper=value, p_value=0.5**pairs if value > 0 else 1.0, pairs=pairs)
    reach = float(stdtrit(pairs - 1, confidence)) * error
    p_value = float(stdtr(pairs - 1, -value / error))
    return PairedMean(value=value, lower=value - reach, upper=value + reach, p_value=p_value, pairs=pairs)


def holm(p_values: Sequence[float], alpha: float) -> list[bool]:
    """Return which hypotheses are rejected while any false rejection at all has at most the chance `alpha`.

    Source: S. Holm, Scandinavian Journal of Statistics 6 (1979).
    """
    rejected = [False] * len(p_values)
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        if p_values[index] > alpha / (len(p_values) - rank):
            break
        rejected[index] = True
    return rejected
