"""Planted defect: where an answer came from is not said, so that no hit rate can be measured."""

from dataclasses import replace

from reference_service.guards.cache import Cache
from reference_service.parts import Parts
from reference_service.turn import Turn


class MuteCache(Cache):
    """Answers without saying so."""

    async def __call__(self, turn: Turn) -> None:
        """Call a hit a miss."""
        await super().__call__(turn)
        if turn.answer is not None:
            turn.cache = "miss"


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, cache=MuteCache)
