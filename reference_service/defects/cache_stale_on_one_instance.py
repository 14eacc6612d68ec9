"""Planted defect: new knowledge empties the cache of the instance that heard of it, and of no other."""

import time
from dataclasses import replace

from reference_service.guards.cache import Cache
from reference_service.parts import Parts


class DeafCache(Cache):
    """Learns the generation once."""

    async def refresh(self) -> None:
        """Stay with what it knows."""
        if self._generation is None:
            await super().refresh()
        self._generation_at = time.monotonic()


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, cache=DeafCache)
