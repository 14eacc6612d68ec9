"""Planted defect: a provider that says nothing is waited for without end."""

from dataclasses import replace

from reference_service.parts import Parts
from reference_service.provider.call import ProviderCall
from reference_service.provider.endpoint import Endpoint
from reference_service.turn import Turn


class PatientEndpoint(Endpoint):
    """Waits an hour."""

    async def call(self, turn: Turn, model: str, *, first_content_s: float) -> ProviderCall:
        """Ignore the bound."""
        return await super().call(turn, model, first_content_s=3600.0)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, endpoint=PatientEndpoint)
