"""Planted defect: a provider's stream that ends without its end is taken for whole."""

from dataclasses import replace

from reference_service.parts import Parts
from reference_service.provider.call import ProviderCall
from reference_service.provider.endpoint import Endpoint
from reference_service.provider.failure import ProviderFailure


class TrustingCall(ProviderCall):
    """Takes the connection's end for the answer's."""

    async def _read(self) -> None:
        try:
            await super()._read()
        except ProviderFailure:
            self._reader.done = True
            self.finish_reason = self.finish_reason or "stop"


class TrustingEndpoint(Endpoint):
    """Makes trusting calls."""

    calls = TrustingCall


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, endpoint=TrustingEndpoint)
