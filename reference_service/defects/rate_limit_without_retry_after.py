"""Planted defect: a 429 does not say when to come back."""

from dataclasses import replace

from reference_service.errors import RateLimited
from reference_service.guards.rate_limit import RateLimit
from reference_service.parts import Parts
from reference_service.turn import Turn


class SilentRateLimit(RateLimit):
    """Refuses without a word."""

    async def __call__(self, turn: Turn) -> None:
        """Take the header away."""
        try:
            await super().__call__(turn)
        except RateLimited as refusal:
            refusal.headers.clear()
            raise


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, rate_limit=SilentRateLimit)
