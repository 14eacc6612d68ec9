"""Planted defect: a backup holds the tables and none of their rows."""

from dataclasses import replace

from reference_service.operations.archive import Backup
from reference_service.operations.tools import Tools


class HollowBackup(Backup):
    """Dumps what is quick to dump."""

    def dump_options(self) -> list[str]:
        """Leave the rows out."""
        return [*super().dump_options(), "--schema-only"]


def plant_tool(tools: Tools) -> Tools:
    """Return the tools with the broken one in place."""
    return replace(tools, backup=HollowBackup)
