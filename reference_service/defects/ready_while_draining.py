"""Planted defect: an instance that is leaving still says that it is ready."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from reference_service.health import Drain, Health
from reference_service.parts import Parts


class LastToLeave(Health):
    """Does not know that it is leaving."""

    async def ready(self, request: Request) -> Response:
        """Look away from the signal."""
        draining, self._drain = self._drain, Drain()
        try:
            return await super().ready(request)
        finally:
            self._drain = draining


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, health=LastToLeave)
