"""Planted defect: a whole stream ends without [DONE]."""

from dataclasses import replace

from reference_service.events import Events
from reference_service.parts import Parts
from reference_service.turn import Answer, Turn


class EndlessEvents(Events):
    """Forgets the last word."""

    def end(self, turn: Turn, answer: Answer) -> bytes:
        """Leave [DONE] out."""
        return super().end(turn, answer).removesuffix(b"data: [DONE]\n\n")


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, events=EndlessEvents)
