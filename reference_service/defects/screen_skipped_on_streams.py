"""Planted defect: an attack passes when it asks for a stream."""

from dataclasses import replace

from reference_service.guards.screen import Screen
from reference_service.parts import Parts
from reference_service.turn import Turn


class WholeScreen(Screen):
    """Looks at whole answers' questions."""

    async def __call__(self, turn: Turn) -> None:
        """Let streams pass."""
        if not turn.asked.stream:
            await super().__call__(turn)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, screen=WholeScreen)
