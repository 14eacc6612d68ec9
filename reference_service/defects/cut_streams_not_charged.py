"""Planted defect: a stream that the client cuts costs nothing, though the provider bills what it generated."""

from dataclasses import replace

from reference_service.guards.settle import Settle
from reference_service.parts import Parts
from reference_service.turn import Turn


class CompleteOnly(Settle):
    """Charges finished calls only."""

    async def __call__(self, turn: Turn) -> None:
        """Give back what was held for a call that was cut."""
        for held in turn.reservations:
            held.used = held.used and held.complete
        await super().__call__(turn)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, settle=CompleteOnly)
