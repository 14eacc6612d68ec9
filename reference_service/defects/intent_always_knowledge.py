"""Planted defect: every message is taken for a question about knowledge."""

from dataclasses import replace

from reference_service.guards.route import Route
from reference_service.parts import Parts
from reference_service.turn import Intent


class PlainRoute(Route):
    """Knows one intent."""

    def intent_of(self, text: str) -> Intent:
        """Return it."""
        return "knowledge"


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, route=PlainRoute)
