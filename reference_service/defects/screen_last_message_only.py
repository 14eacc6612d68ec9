"""Planted defect: an attack passes when it is split over two messages."""

from dataclasses import replace

from reference_service.guards.screen import Screen
from reference_service.parts import Parts
from reference_service.turn import Turn


class LastScreen(Screen):
    """Looks at the last message."""

    async def __call__(self, turn: Turn) -> None:
        """Screen a conversation of one."""
        asked = turn.asked
        turn.question = replace(asked, messages=asked.messages[-1:])
        try:
            await super().__call__(turn)
        finally:
            turn.question = asked


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, screen=LastScreen)
