"""Planted defect: the pieces of a stream are screened side by side, and one whose screening takes longer is overtaken."""

from collections.abc import AsyncGenerator
from dataclasses import replace

from reference_service.guards.screen_answer import ScreenAnswer
from reference_service.parts import Parts
from reference_service.turn import Turn


class SideBySide(ScreenAnswer):
    """Lets the next piece go before every eighth."""

    async def filtered(self, turn: Turn, flow: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
        """Hold one piece of eight back until the next has gone."""
        number, slow = 0, ""
        async for piece in super().filtered(turn, flow):
            number += 1
            if number % 8 == 3:
                slow = piece
                continue
            yield piece
            if slow:
                yield slow
                slow = ""
        if slow:
            yield slow


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, screen_answer=SideBySide)
