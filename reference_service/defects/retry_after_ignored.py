"""Planted defect: a provider that asks for quiet is asked again at once."""

from dataclasses import replace

from reference_service.parts import Parts
from reference_service.provider.endpoint import Endpoint


class DeafEndpoint(Endpoint):
    """Does not hold off."""

    def hold_off(self, seconds: float) -> None:
        """Forget what was asked."""


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, endpoint=DeafEndpoint)
