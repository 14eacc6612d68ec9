"""Planted defect: a bill above the reservation is cut to the reservation: the ledger is below the meter."""

from dataclasses import replace

from reference_service.guards.settle import Settle
from reference_service.parts import Parts
from reference_service.turn import Turn


class CappedSettle(Settle):
    """Believes that no bill can be above its reservation."""

    async def __call__(self, turn: Turn) -> None:
        """Charge no more than was held."""
        for held in turn.reservations:
            if held.usage is not None:
                price = self._prices[held.model]
                if price.cost_nanousd(held.usage.prompt_tokens, held.usage.completion_tokens) > held.held_nanousd:
                    held.usage, held.complete = None, False
        await super().__call__(turn)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, settle=CappedSettle)
