"""Planted defect: what was reserved is charged, whatever the provider billed."""

from dataclasses import replace

from reference_service.guards.settle import Settle
from reference_service.parts import Parts
from reference_service.turn import Turn


class EstimateSettle(Settle):
    """Never gives the rest back."""

    async def __call__(self, turn: Turn) -> None:
        """Charge the reservation."""
        for held in turn.reservations:
            if held.used:
                held.complete, held.usage = False, None
        await super().__call__(turn)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, settle=EstimateSettle)
