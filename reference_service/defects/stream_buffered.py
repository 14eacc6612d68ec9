"""Planted defect: a stream is held back until it is complete."""

from collections.abc import AsyncGenerator
from dataclasses import replace

from reference_service.guards.call_provider import CallProvider
from reference_service.parts import Parts
from reference_service.provider.call import ProviderCall
from reference_service.provider.endpoint import Endpoint
from reference_service.turn import Reservation, Turn


class BufferedCall(CallProvider):
    """Gathers first."""

    async def _flow(self, turn: Turn, endpoint: Endpoint, held: Reservation, call: ProviderCall) -> AsyncGenerator[str, None]:
        pieces = [piece async for piece in super()._flow(turn, endpoint, held, call)]
        for piece in pieces:
            yield piece


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, call_provider=BufferedCall)
