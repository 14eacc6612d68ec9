"""Planted defect: near the end of a budget the large model goes on until nothing is left."""

from dataclasses import replace

from reference_service.guards.reserve_budget import ReserveBudget
from reference_service.parts import Parts
from reference_service.turn import Reservation, Turn


class LargeToTheEnd(ReserveBudget):
    """Offers the ledger no cheaper amount."""

    async def hold(self, turn: Turn, model: str) -> Reservation:
        """Reserve as if the client had named the model."""
        asked = turn.asked
        turn.question = replace(asked, model=model)
        try:
            return await super().hold(turn, model)
        finally:
            turn.question = asked


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, reserve_budget=LargeToTheEnd)
