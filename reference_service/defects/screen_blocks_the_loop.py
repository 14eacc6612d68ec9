"""Planted defect: the screen computes for a quarter of a second and lets nobody else run meanwhile."""

import time
from dataclasses import replace

from reference_service.guards.screen import Screen
from reference_service.parts import Parts
from reference_service.turn import Turn


class HeavyScreen(Screen):
    """Takes its time, and everybody's."""

    async def __call__(self, turn: Turn) -> None:
        """Hold the event loop."""
        time.sleep(0.25)
        await super().__call__(turn)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, screen=HeavyScreen)
