"""Planted defect: a debug line repeats the question as it came."""

from dataclasses import replace

from reference_service.guards.log import Log
from reference_service.parts import Parts
from reference_service.turn import Turn


class DebugLog(Log):
    """Was left on by somebody."""

    async def __call__(self, turn: Turn) -> None:
        """Write one line too many."""
        if turn.question is not None:
            self._write({"event": "debug", "request_id": turn.request_id, "messages": [m.content for m in turn.asked.messages]})
        await super().__call__(turn)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, log=DebugLog)
