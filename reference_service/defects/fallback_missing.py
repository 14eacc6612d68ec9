"""Planted defect: there is no second model: a dark primary means the polite answer."""

from dataclasses import replace

from reference_service.guards.call_provider import CallProvider
from reference_service.parts import Parts
from reference_service.turn import Turn


class LonelyCall(CallProvider):
    """Knows one endpoint."""

    async def __call__(self, turn: Turn) -> None:
        """Ask the primary only."""
        self._endpoints = self._endpoints[:1]
        await super().__call__(turn)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, call_provider=LonelyCall)
