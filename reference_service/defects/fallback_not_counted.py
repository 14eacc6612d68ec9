"""Planted defect: an answer of the second model is reported as the primary's."""

from dataclasses import replace

from reference_service.guards.call_provider import CallProvider
from reference_service.parts import Parts
from reference_service.turn import Turn


class VagueCall(CallProvider):
    """Does not say who answered."""

    async def __call__(self, turn: Turn) -> None:
        """Claim the primary."""
        await super().__call__(turn)
        if turn.source == "secondary":
            turn.source, turn.fallback = "primary", False


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, call_provider=VagueCall)
