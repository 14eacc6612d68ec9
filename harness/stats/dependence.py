"""How many independent requests a sequence of dependent ones is worth.

Failures come in clusters: ten errors in one second tell less than ten errors spread over ten minutes. With AR(1)
dependence of 0.8 a nominal 5 % of false passes is really 21 % (`benchmarks/statistics_errors.py` prints it, with and
without the correction).
"""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_MOST_BATCHES = 65_536
_UNSEEN = 3.0
"""How far clusters may reach beyond what was seen of them, in errors of that estimate: see `cautious_n`."""


def effective_n(bad: "npt.NDArray[np.bool_]") -> float:
    """Return the effective sample size of a 0/1 sequence in order of intended time; never above its length.

    n / (1 + 2 x the sum of its autocorrelations), the sum taken by Geyer's initial positive sequence: pairs of lags
    are added until a pair is not positive. A sequence longer than 65,536 is first cut into equal batches, whose means
    carry the same long-run variance. A sequence without any bad (or any good) shows no clusters and counts in full:
    that is no proof that there are none.
    Source: C. J. Geyer, Practical Markov chain Monte Carlo, Statistical Science 7 (1992).
    """
    import numpy as np

    n = int(bad.size)
    count = int(np.count_nonzero(bad))
    if n < 4 or count in (0, n):
        return float(n)
    width = -(-n // _MOST_BATCHES)
    batches = n // width
    means = bad[: batches * width].reshape(batches, width).mean(axis=1)
    share = count / n
    within = float(means.var()) * width / (share * (1 - share))  # 1 where neighbours inside a batch are independent
    if within <= 0.0:  # batches that all hold the same share vary less than chance: no clusters
        return float(n)
    inflation = within * _correlation_time(means)
    return float(n) if inflation < 1 + 1e-9 else n / inflation  # the last bit must not move a run off a bound's edge


def cautious_n(bad: "npt.NDArray[np.bool_]") -> float:
    """Return what a sequence is worth to somebody who wants to let it pass: at most `effective_n`.

    How far failures hang together is itself an estimate, from as many clusters as were seen, and too small in most runs
    that saw few. With k clusters its relative error falls with the square root of k, so what a cluster is worth less
    than its failures is taken 1 + 3 / sqrt(k) times. A run without clusters loses nothing by it.
    """
    import numpy as np

    n, worth = int(bad.size), effective_n(bad)
    if worth >= n:
        return worth
    inflation = n / worth
    clusters = max(1.0, int(np.count_nonzero(bad)) / inflation)
    return n / (1 + (inflation - 1) * (1 + _UNSEEN / math.sqrt(clusters)))


def _correlation_time(values: "npt.NDArray[np.float64]") -> float:
    import numpy as np

    deviations = values - values.mean()
    size = 1 << (2 * deviations.size - 1).bit_length()
    spectrum = np.fft.rfft(deviations, size)
    products = np.fft.irfft(spectrum * np.conj(spectrum), size)[: deviations.size]
    correlations = products / products[0]
    pairs = correlations[: deviations.size // 2 * 2].reshape(-1, 2).sum(axis=1)
    stops = np.flatnonzero(pairs <= 0.0)
    kept = pairs[: stops[0]] if stops.size else pairs
    return max(1.0, float(-1.0 + 2.0 * kept.sum()))
