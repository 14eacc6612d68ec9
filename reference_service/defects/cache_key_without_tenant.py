"""Planted defect: one tenant is given another tenant's cached answer."""

from dataclasses import replace

from reference_service.guards.cache import Cache
from reference_service.parts import Parts
from reference_service.turn import Turn


class SharedCache(Cache):
    """Shares across tenants."""

    def _key(self, turn: Turn) -> str:
        who = turn.who
        turn.identity = replace(who, tenant="")
        try:
            return super()._key(turn)
        finally:
            turn.identity = who


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, cache=SharedCache)
