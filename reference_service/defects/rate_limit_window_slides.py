"""Planted defect: every request starts the window anew, so that who keeps asking is never let in again."""

from dataclasses import replace

from reference_service.guards.rate_limit import RateLimit
from reference_service.parts import Parts
from reference_service.turn import Turn


class SlidingRateLimit(RateLimit):
    """Sets the expiry at each request."""

    async def __call__(self, turn: Turn) -> None:
        """Let the window begin again, refused or not."""
        try:
            await super().__call__(turn)
        finally:
            await self._store.command("PEXPIRE", f"rate:user:{turn.who.account_id}", self._window_ms)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, rate_limit=SlidingRateLimit)
