"""Planted defect: the second model's answer is not screened."""

from dataclasses import replace

from reference_service.guards.screen_answer import ScreenAnswer
from reference_service.parts import Parts
from reference_service.turn import Turn


class PrimaryScreen(ScreenAnswer):
    """Trusts the second model."""

    async def __call__(self, turn: Turn) -> None:
        """Let a fallback's answer pass."""
        if turn.source != "secondary":
            await super().__call__(turn)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, screen_answer=PrimaryScreen)
