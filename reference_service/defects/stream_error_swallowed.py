"""Planted defect: a stream that broke just stops, without an error event."""

from dataclasses import replace

from reference_service.events import Events
from reference_service.parts import Parts


class MuteEvents(Events):
    """Says nothing of errors."""

    def broken(self, kind: str) -> bytes:
        """Send nothing."""
        return b""


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, events=MuteEvents)
