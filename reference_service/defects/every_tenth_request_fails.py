"""Planted defect: one request in ten ends with an error of ours."""

from dataclasses import replace

from reference_service.guards.screen import Screen
from reference_service.parts import Parts
from reference_service.turn import Turn


class MoodyScreen(Screen):
    """Fails by a count."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    async def __call__(self, turn: Turn) -> None:
        """Trip over every tenth."""
        self._count += 1
        if self._count % 10 == 0:
            raise RuntimeError("a fault that nobody foresaw")
        await super().__call__(turn)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, screen=MoodyScreen)
