"""Planted defect: a cached answer is fresh for ever."""

from dataclasses import replace

from reference_service.guards.cache import Cache, Kept
from reference_service.parts import Parts


class EternalCache(Cache):
    """Has no clock."""

    def _is_fresh(self, kept: Kept) -> bool:
        return True


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, cache=EternalCache)
