"""Planted defect: the polite answer of an outage looks like a model's."""

from dataclasses import replace

from reference_service.guards.call_provider import CallProvider
from reference_service.parts import Parts
from reference_service.provider.failure import ProviderFailure
from reference_service.turn import Turn


class ProudCall(CallProvider):
    """Hides that it failed."""

    def _degrade(self, turn: Turn, failure: ProviderFailure | None) -> None:
        super()._degrade(turn, failure)
        turn.degraded, turn.source, turn.fallback = "0", "primary", False


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, call_provider=ProudCall)
