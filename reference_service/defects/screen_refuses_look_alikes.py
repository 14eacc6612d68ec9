"""Planted defect: honest questions that have an attack's words in them are refused."""

import re
from dataclasses import replace

from reference_service.errors import ContentBlocked
from reference_service.guards.screen import Screen
from reference_service.parts import Parts
from reference_service.turn import Turn

_WORDS = re.compile(r"\b(?:ignore|override|instructions|system)\b", re.IGNORECASE)


class EagerScreen(Screen):
    """Sees attacks everywhere."""

    async def __call__(self, turn: Turn) -> None:
        """Refuse for a word."""
        if any(_WORDS.search(message.content) for message in turn.asked.messages):
            raise ContentBlocked("This message was refused by a content rule.", param="messages", details={"rule": "word"})
        await super().__call__(turn)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, screen=EagerScreen)
