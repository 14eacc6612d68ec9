"""Planted defect: what was refused does not appear in the log."""

from dataclasses import replace

from reference_service.guards.log import Log
from reference_service.parts import Parts
from reference_service.turn import Turn


class RosyLog(Log):
    """Writes good news."""

    async def __call__(self, turn: Turn) -> None:
        """Leave refusals out."""
        if turn.error is None:
            await super().__call__(turn)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, log=RosyLog)
