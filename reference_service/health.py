"""Whether this process lives, and whether it should be sent requests."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reference_service.errors import StoreUnavailable

if TYPE_CHECKING:  # resources know every part's class, this one included
    from reference_service.resources import Resources


@dataclass(slots=True)
class Drain:
    """Whether this instance is on its way out."""

    draining: bool = False


class Health:
    """The two probes: `live` touches nothing, `ready` asks every dependency within its bound."""

    def __init__(self, resources: "Resources", drain: Drain) -> None:
        self._resources = resources
        self._drain = drain

    async def live(self, _: Request) -> Response:
        """Say that the event loop turns; no dependency's fault may get this process restarted."""
        return JSONResponse({"status": "live"})

    async def ready(self, _: Request) -> Response:
        """Say whether requests can be answered, and each dependency's state."""
        r, s, draining = self._resources, self._resources.settings, self._drain.draining
        postgres, store = await asyncio.gather(*(state(ping, s.ready_timeout_s) for ping in (r.database.ping, r.store.ping)))
        is_ready = postgres == store == "ok" and not draining
        body: dict[str, object] = {
            "status": "draining" if draining else "ready" if is_ready else "not ready",
            "instance": s.instance,
            "version": s.version,
            "dependencies": {"postgres": postgres, "store": store},
            "providers": {e.name: e.breaker.state for e in r.endpoints},
        }
        if r.features.problem is not None:
            body["flags"] = r.features.problem
        if s.defect:
            body["defect"] = s.defect
        return JSONResponse(body, status_code=200 if is_ready else 503)


async def state(ping: Callable[[], Awaitable[None]], limit_s: float) -> str:
    """Return `ok`, or what is wrong with a dependency."""
    try:
        async with asyncio.timeout(limit_s):
            await ping()
    except TimeoutError:
        return "down: no answer in time"
    except StoreUnavailable as error:
        return f"down: {error.why}"
    return "ok"
