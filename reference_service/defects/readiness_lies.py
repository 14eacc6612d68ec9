"""Planted defect: the instance is ready whatever its stores say."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reference_service.health import Health
from reference_service.parts import Parts


class CheerfulHealth(Health):
    """Is always well."""

    async def ready(self, _: Request) -> Response:
        """Ask nobody."""
        s = self._resources.settings
        return JSONResponse({"status": "ready", "instance": s.instance, "version": s.version, "defect": s.defect})


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, health=CheerfulHealth)
