"""Planted defect: after its first failure the primary is never asked again."""

from dataclasses import replace

from reference_service.breaker import Permit
from reference_service.parts import Parts
from reference_service.provider.call import ProviderCall
from reference_service.provider.endpoint import Endpoint
from reference_service.provider.failure import ProviderFailure
from reference_service.turn import Turn


class ResentfulEndpoint(Endpoint):
    """Forgives nothing."""

    def admit(self) -> Permit | None:
        """Close the door for good after one failure."""
        if self._refused or self.name == "secondary":
            return super().admit() if self.name == "secondary" else None
        return super().admit()

    async def call(self, turn: Turn, model: str, *, first_content_s: float) -> ProviderCall:
        """Remember a failure."""
        try:
            return await super().call(turn, model, first_content_s=first_content_s)
        except ProviderFailure:
            self._refused = True
            raise

    _refused = False


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, endpoint=ResentfulEndpoint)
