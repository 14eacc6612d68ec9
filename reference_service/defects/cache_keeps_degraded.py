"""Planted defect: the polite answer of an outage is cached and given for an hour after it."""

from dataclasses import replace

from reference_service.guards.cache import Cache
from reference_service.parts import Parts
from reference_service.turn import Turn


class KeepAllCache(Cache):
    """Keeps whatever was said."""

    async def remember(self, turn: Turn) -> None:
        """Pass a degraded answer off as the primary's."""
        degraded, source = turn.degraded, turn.source
        turn.degraded, turn.source = "0", "primary"
        try:
            await super().remember(turn)
        finally:
            turn.degraded, turn.source = degraded, source


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, cache=KeepAllCache)
