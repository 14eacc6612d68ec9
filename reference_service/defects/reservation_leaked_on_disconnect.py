"""Planted defect: a client that leaves keeps its reservation held: honest users are refused later."""

from dataclasses import replace

from reference_service.guards.settle import Settle
from reference_service.parts import Parts
from reference_service.turn import Turn


class LeakingSettle(Settle):
    """Settles only what ended well."""

    async def __call__(self, turn: Turn) -> None:
        """Forget whoever left."""
        if turn.error not in ("client_disconnected", "cancelled"):
            await super().__call__(turn)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, settle=LeakingSettle)
