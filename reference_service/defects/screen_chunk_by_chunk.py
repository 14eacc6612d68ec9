"""Planted defect: a stream is screened chunk by chunk: a secret in two chunks passes."""

from collections.abc import AsyncGenerator
from dataclasses import replace

from reference_service.guards.screen_answer import ScreenAnswer, blocked, forbidden
from reference_service.parts import Parts
from reference_service.turn import Turn


class ChunkScreen(ScreenAnswer):
    """Has no memory."""

    async def __call__(self, turn: Turn) -> None:
        """Look at each piece by itself."""
        if turn.flow is None:
            await super().__call__(turn)
        else:
            turn.flow = _each(turn.flow)


async def _each(flow: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    async for piece in flow:
        if (rule := forbidden(piece)) is not None:
            raise blocked(rule)
        yield piece


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, screen_answer=ChunkScreen)
