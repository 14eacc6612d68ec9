"""Planted defect: with PostgreSQL down the process says that it is dead, and is restarted for nothing."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from reference_service.health import Health
from reference_service.parts import Parts


class SickHealth(Health):
    """Feels what its stores feel."""

    async def live(self, request: Request) -> Response:
        """Answer as `ready` does."""
        return await self.ready(request)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, health=SickHealth)
