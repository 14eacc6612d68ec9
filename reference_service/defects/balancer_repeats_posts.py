"""Planted defect: a request whose instance died is sent to the next one, and paid twice."""

from dataclasses import replace

from reference_service.operations.slots import BalancerConfiguration
from reference_service.operations.tools import Tools


class EagerConfiguration(BalancerConfiguration):
    """Wants an answer, whatever it costs."""

    def proxy(self, slot: str) -> dict[str, object]:
        """Keep each request, to have it at hand."""
        return {**super().proxy(slot), "request_buffers": 1 << 20}

    def repeats(self) -> dict[str, object]:
        """Send anything again."""
        return {"retries": 3, "try_duration": "10s", "try_interval": "100ms", "retry_match": [{"method": ["POST"]}]}


def plant_tool(tools: Tools) -> Tools:
    """Return the tools with the broken one in place."""
    return replace(tools, balancer=EagerConfiguration)
