"""Planted defect: every question goes to the large model, the simplest ones too."""

from dataclasses import replace

from reference_service.guards.route import Route
from reference_service.parts import Parts
from reference_service.turn import Turn


class LargeRoute(Route):
    """Knows one model."""

    async def __call__(self, turn: Turn) -> None:
        """Overrule the choice."""
        await super().__call__(turn)
        if turn.answer is None:
            turn.model = self._settings.large_model


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, route=LargeRoute)
