"""Planted defect: a request that the provider refuses as wrong is sent to the second model too."""

from dataclasses import replace

from reference_service.guards.call_provider import CallProvider
from reference_service.parts import Parts
from reference_service.provider.endpoint import Endpoint
from reference_service.provider.failure import Kind, ProviderFailure
from reference_service.turn import Turn


class EagerCall(CallProvider):
    """Takes every failure for the provider's."""

    async def _ask(self, turn: Turn, endpoint: Endpoint) -> ProviderFailure | None:
        failure = await super()._ask(turn, endpoint)
        return ProviderFailure(Kind.STATUS, status=500) if failure is not None and failure.is_ours else failure


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, call_provider=EagerCall)
