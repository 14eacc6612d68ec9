"""Planted defect: an answer of one model is given for another."""

from dataclasses import replace

from reference_service.guards.cache import Cache
from reference_service.parts import Parts
from reference_service.turn import Turn


class ModelBlindCache(Cache):
    """Looks at the messages only."""

    def _key(self, turn: Turn) -> str:
        asked = turn.asked
        turn.question = replace(asked, model="", max_tokens=None)
        try:
            return super()._key(turn)
        finally:
            turn.question = asked


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, cache=ModelBlindCache)
