"""The smallest part of a failing composition that still fails. Pure: what failing is, the caller says."""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def shrink(parts: Sequence[T], fails: Callable[[tuple[T, ...]], bool], *, at_most: int) -> tuple[T, ...]:
    """Return parts that fail together, in their order; none of them can be left out, as far as `at_most` tries told.

    parts: must fail as they are; that is not tried again. at_most: how often `fails` may be asked: each is a run.
    Zeller's delta debugging: halves first, then ever smaller pieces left out.
    """
    left = tuple(parts)
    pieces, tries = 2, 0
    while len(left) > 1:
        size = -(-len(left) // pieces)
        for start in range(0, len(left), size):
            without = left[:start] + left[start + size :]
            if tries >= at_most:
                return left
            tries += 1
            if fails(without):
                left, pieces = without, max(2, pieces - 1)
                break
        else:
            if size == 1:
                return left
            pieces = min(len(left), pieces * 2)
    return left
