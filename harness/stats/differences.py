"""Is one share worse than another? By the bounds of the difference, and by an effect that somebody would care about.

The bounds are those of Zou and Donner (2008): from one-sided bounds of each share to one-sided bounds of their
difference. With Clopper-Pearson bounds of each they are conservative. Counts may be real, as in `bounds`.
"""

import enum
import math
from dataclasses import dataclass

from harness.stats.bounds import CONFIDENCE, bounds_of_share


class Comparison(enum.Enum):
    """What the bounds of a difference allow to say about "no worse by as much as the effect"."""

    NOT_WORSE = "not worse"
    WORSE = "worse"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceBounds:
    """The new share less the old one, and its one-sided bounds; `value` None and -1..1 where one of them has no data."""

    value: float | None
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """bad of n; n real where it is an effective size, and bad then in proportion."""

    bad: float
    n: float


def bounds_of_difference(old: Share, new: Share, confidence: float = CONFIDENCE) -> DifferenceBounds:
    """Return the one-sided bounds of (new share - old share). Raises ValueError on counts that are none."""
    a, b = bounds_of_share(old.bad, old.n, confidence), bounds_of_share(new.bad, new.n, confidence)
    if a.value is None or b.value is None:
        return DifferenceBounds(value=None, lower=-1.0, upper=1.0)
    difference = b.value - a.value
    return DifferenceBounds(
        value=difference,
        lower=difference - math.hypot(b.value - b.lower, a.upper - a.value),
        upper=difference + math.hypot(b.upper - b.value, a.value - a.lower),
    )


def compare_shares(old: Share, new: Share, effect: float, confidence: float = CONFIDENCE) -> Comparison:
    """Return whether the new share is worse by at least `effect`.

    Worse needs both: a lower bound above 0 (it is no accident) and a difference of at least `effect` (it matters). Not
    worse needs an upper bound below `effect`. The rest, and no data, is undecided. effect: a ratio above 0.
    """
    if not 0 < effect < 1:
        raise ValueError(f"an effect of {effect} is none that a share can have: wants 0 < effect < 1")
    bounds = bounds_of_difference(old, new, confidence)
    if bounds.value is None:
        return Comparison.UNDECIDED
    if bounds.lower > 0 and bounds.value >= effect:
        return Comparison.WORSE
    return Comparison.NOT_WORSE if bounds.upper < effect else Comparison.UNDECIDED
