"""Planted defect: a refused request's key stands in the log."""

from dataclasses import replace

from reference_service.guards.log import Log
from reference_service.parts import Parts
from reference_service.turn import Turn


class TellingLog(Log):
    """Helps to find out whose key it was."""

    async def __call__(self, turn: Turn) -> None:
        """Write the header of whoever was refused."""
        if turn.error is not None:
            turn.reason = f"{turn.reason}; authorization: {turn.headers.get('authorization')}"
        await super().__call__(turn)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, log=TellingLog)
