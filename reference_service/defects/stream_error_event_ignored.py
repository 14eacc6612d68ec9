"""Planted defect: an error event inside a 200 is skipped, and the half answer passed on as whole."""

from dataclasses import replace

import aiohttp

from reference_service.parts import Parts
from reference_service.provider.call import CallTimes, ProviderCall
from reference_service.provider.endpoint import Endpoint
from reference_service.provider.failure import ProviderFailure
from reference_service.provider.sse import Choice, Chunk, ChunkReader, Delta


class DeafReader(ChunkReader):
    """Skips what it does not like."""

    def feed(self, data: bytes) -> list[Chunk]:
        """Take an error event for the end."""
        try:
            return super().feed(data)
        except ProviderFailure:
            self.done = True
            return [Chunk(choices=[Choice(delta=Delta(), finish_reason="stop")])]


class DeafCall(ProviderCall):
    """Reads with it."""

    def __init__(self, session: aiohttp.ClientSession, times: CallTimes, *, max_bytes: int) -> None:
        super().__init__(session, times, max_bytes=max_bytes)
        self._reader = DeafReader()


class DeafEndpoint(Endpoint):
    """Makes deaf calls."""

    calls = DeafCall


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, endpoint=DeafEndpoint)
