"""How likely a run of n requests is to pass or fail, and how many it takes.

Answers for plans: at an assumed true share of bad requests, never at an observed one.
"""

import math
from collections.abc import Callable
from functools import partial

from harness.stats.bounds import CONFIDENCE, fewest_bad_that_fails, most_bad_that_passes

_TOO_MANY = 10_000_000


def chance_of_pass(n: int, limit: float, assumed_bad_share: float, confidence: float = CONFIDENCE) -> float:
    """Return the probability that n independent requests pass at that true share of bad ones."""
    from scipy.special import bdtr

    most = most_bad_that_passes(n, limit, confidence)
    return 0.0 if most is None else float(bdtr(most, n, assumed_bad_share))


def chance_of_fail(n: int, limit: float, assumed_bad_share: float, confidence: float = CONFIDENCE) -> float:
    """Return the probability that n independent requests fail at that true share of bad ones."""
    from scipy.special import bdtrc

    fewest = fewest_bad_that_fails(n, limit, confidence)
    if fewest is None:
        return 0.0
    return 1.0 if fewest == 0 else float(bdtrc(fewest - 1, n, assumed_bad_share))


def requests_for_pass(limit: float, assumed_bad_share: float, power: float = 0.9, confidence: float = CONFIDENCE) -> int | None:
    """Return the fewest requests that pass with probability `power` at that true share.

    None where none do: the assumed share is not under the limit, or so near that ten million are too few.
    """
    if not 0 <= assumed_bad_share < limit:
        return None
    chance = partial(chance_of_pass, limit=limit, assumed_bad_share=assumed_bad_share, confidence=confidence)
    return _fewest(chance, power, limit)


def requests_for_fail(limit: float, assumed_bad_share: float, power: float = 0.9, confidence: float = CONFIDENCE) -> int | None:
    """Return the fewest requests that fail with probability `power` at that true share; None where none do."""
    if not limit < assumed_bad_share <= 1:
        return None
    chance = partial(chance_of_fail, limit=limit, assumed_bad_share=assumed_bad_share, confidence=confidence)
    return _fewest(chance, power, limit)


def _fewest(chance: Callable[[int], float], power: float, limit: float) -> int | None:
    # The chance climbs in a saw-tooth, because counts are whole; a tooth is about 1/limit requests wide. Double to a
    # bracket, halve it while it is wide, then look at every size from some teeth before it.
    teeth = math.ceil(12 / limit) if limit > 0 else 256
    enough = 1
    while chance(enough) < power:
        enough *= 2
        if enough > _TOO_MANY:
            return None
    low = enough // 2
    while enough - low > teeth:
        middle = (low + enough) // 2
        low, enough = (low, middle) if chance(middle) >= power else (middle, enough)
    return next(n for n in range(max(1, low - teeth), enough + 1) if chance(n) >= power)
