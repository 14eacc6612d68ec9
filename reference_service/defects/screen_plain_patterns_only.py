"""Planted defect: the document's three expressions are all the screen: one invisible character passes it."""

import re
from dataclasses import replace

from reference_service.errors import ContentBlocked
from reference_service.guards.screen import Screen
from reference_service.parts import Parts
from reference_service.turn import Turn

_PATTERNS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in ("ignore previous instructions", "system:.*role:.*admin", "prompt:.*override")
]


class PlainScreen(Screen):
    """Compares letters as they come."""

    async def __call__(self, turn: Turn) -> None:
        """Search the raw text."""
        for message in turn.asked.messages:
            if any(pattern.search(message.content) for pattern in _PATTERNS):
                raise ContentBlocked("This message was refused by a content rule.", param="messages", details={"rule": "plain"})


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, screen=PlainScreen)
