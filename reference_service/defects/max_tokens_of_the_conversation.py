"""Planted defect: max_tokens grows with the whole conversation, not with the user's own message."""

from dataclasses import replace

from reference_service.guards.route import Route
from reference_service.parts import Parts
from reference_service.pricing import count_tokens
from reference_service.turn import Turn


class ContextRoute(Route):
    """Counts the context too."""

    async def __call__(self, turn: Turn) -> None:
        """Set three times the tokens of everything."""
        await super().__call__(turn)
        turn.max_tokens = min(3 * sum(count_tokens(m.content) for m in turn.asked.messages), self._settings.answer_max_tokens)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, route=ContextRoute)
