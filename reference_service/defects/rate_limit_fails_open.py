"""Planted defect: with Valkey down, every request passes the rate limit."""

import contextlib
from dataclasses import replace

from reference_service.errors import GuardUnavailable
from reference_service.guards.rate_limit import RateLimit
from reference_service.parts import Parts
from reference_service.turn import Turn


class OpenRateLimit(RateLimit):
    """Would rather serve than ask."""

    async def __call__(self, turn: Turn) -> None:
        """Let pass whom it cannot count."""
        with contextlib.suppress(GuardUnavailable):
            await super().__call__(turn)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, rate_limit=OpenRateLimit)
