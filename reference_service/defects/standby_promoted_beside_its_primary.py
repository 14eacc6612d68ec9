"""Planted defect: a standby is promoted while its primary still works: two databases count what is spent."""

from dataclasses import replace

from reference_service.operations.follower import Follower
from reference_service.operations.tools import Tools


class EagerFollower(Follower):
    """Takes the primary for dead."""

    def primary_answers(self) -> bool:
        """Say no without asking."""
        return False


def plant_tool(tools: Tools) -> Tools:
    """Return the tools with the broken one in place."""
    return replace(tools, follower=EagerFollower)
