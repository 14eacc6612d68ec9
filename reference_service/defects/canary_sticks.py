"""Planted defect: a bad canary is complained about, and keeps its share."""

from dataclasses import replace

from reference_service.operations.canary import Canary
from reference_service.operations.tools import Tools


class StickyCanary(Canary):
    """Says that it was taken back."""

    def take_back(self, why: str) -> None:
        """Say so."""
        self._say(f"taken back: {why}")


def plant_tool(tools: Tools) -> Tools:
    """Return the tools with the broken one in place."""
    return replace(tools, canary=StickyCanary)
