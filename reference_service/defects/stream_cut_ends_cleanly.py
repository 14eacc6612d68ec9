"""Planted defect: a stream that broke ends like a whole one: half an answer looks like all of it."""

from dataclasses import replace

from reference_service.events import Events
from reference_service.parts import Parts


class SmoothEvents(Events):
    """Ends everything well."""

    def broken(self, kind: str) -> bytes:
        """Say [DONE]."""
        return self._head + b'},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, events=SmoothEvents)
