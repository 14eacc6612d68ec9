"""Planted defect: each instance counts requests for itself, so that two instances let twice as many pass."""

import os
from dataclasses import replace

from reference_service.guards.rate_limit import RateLimit
from reference_service.parts import Parts
from reference_service.turn import Turn


class OwnRateLimit(RateLimit):
    """Counts under a key of this process."""

    async def __call__(self, turn: Turn) -> None:
        """Count where no other instance looks."""
        who = turn.who
        turn.identity = replace(who, account_id=who.account_id * 100_000 + os.getpid() % 100_000)
        try:
            await super().__call__(turn)
        finally:
            turn.identity = who


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, rate_limit=OwnRateLimit)
