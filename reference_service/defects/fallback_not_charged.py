"""Planted defect: what the second model costs is charged to nobody."""

from dataclasses import replace

from reference_service.guards.settle import Settle
from reference_service.parts import Parts
from reference_service.turn import Turn


class PrimaryOnly(Settle):
    """Charges the primary's attempts only."""

    async def __call__(self, turn: Turn) -> None:
        """Give back what was held for the second model."""
        if turn.source == "secondary":
            turn.reservations[-1].used = False
        await super().__call__(turn)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, settle=PrimaryOnly)
