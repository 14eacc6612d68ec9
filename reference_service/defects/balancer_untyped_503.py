"""Planted defect: with no instance ready the balancer answers an empty page."""

from dataclasses import replace

from reference_service.operations.slots import BalancerConfiguration
from reference_service.operations.tools import Tools


class BareConfiguration(BalancerConfiguration):
    """Has no answers of its own."""

    def error_routes(self) -> list[dict[str, object]]:
        """Leave it to Caddy."""
        return []


def plant_tool(tools: Tools) -> Tools:
    """Return the tools with the broken one in place."""
    return replace(tools, balancer=BareConfiguration)
