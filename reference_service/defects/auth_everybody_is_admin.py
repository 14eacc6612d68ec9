"""Planted defect: any key may do what only an administrator's may."""

from dataclasses import replace

from reference_service.guards.authenticate import Authenticate
from reference_service.parts import Parts
from reference_service.turn import Turn


class RolelessAuthenticate(Authenticate):
    """Knows who, not what they may."""

    async def __call__(self, turn: Turn) -> None:
        """Make everybody an administrator."""
        await super().__call__(turn)
        turn.identity = replace(turn.who, role="admin")


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, authenticate=RolelessAuthenticate)
