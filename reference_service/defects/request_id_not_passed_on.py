"""Planted defect: the provider is not told the request id, so that its records cannot be joined."""

from dataclasses import replace

from reference_service.parts import Parts
from reference_service.provider.endpoint import Endpoint
from reference_service.turn import Turn


class AnonymousEndpoint(Endpoint):
    """Keeps the id to itself."""

    def headers(self, turn: Turn) -> dict[str, str]:
        """Leave it out."""
        headers = super().headers(turn)
        del headers["x-request-id"]
        return headers


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, endpoint=AnonymousEndpoint)
