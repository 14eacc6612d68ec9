"""Planted defect: log lines have an id of their own, which no header and no provider knows."""

from dataclasses import replace

from reference_service.guards.log import Log
from reference_service.parts import Parts
from reference_service.turn import Turn


class UnrelatedLog(Log):
    """Writes our id only."""

    async def __call__(self, turn: Turn) -> None:
        """Put our id where the request's should be."""
        given, turn.request_id = turn.request_id, turn.uid
        try:
            await super().__call__(turn)
        finally:
            turn.request_id = given


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, log=UnrelatedLog)
