"""Figures inside the sentences of a verdict; never rounded onto the limit that they were compared with."""

from collections.abc import Mapping

from harness.model.figures import dollars, percent, seconds
from harness.model.figures import plural as count

__all__ = ["count", "dollars", "percent", "seconds", "tally"]


def tally(counts: Mapping[str, int], *, most: int = 3) -> str:
    """Return `34 timeout, 6 error`, the greatest first."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{number:,} {name}" for name, number in ranked[:most])
