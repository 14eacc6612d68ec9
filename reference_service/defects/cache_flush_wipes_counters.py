"""Planted defect: new knowledge flushes the whole store, the rate counters with it."""

from dataclasses import replace

from reference_service.guards.cache import Cache
from reference_service.parts import Parts


class FlushingCache(Cache):
    """Does what the document's code does."""

    async def invalidate(self) -> None:
        """Empty the database of the store."""
        await self._store.command("FLUSHDB")
        await super().invalidate()


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, cache=FlushingCache)
