"""Planted defect: a backup outlives its 30 days, and what a user had deleted lives on in it."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from reference_service.operations.archive import Backup
from reference_service.operations.tools import Tools


class HoardingBackup(Backup):
    """Throws nothing away."""

    def drop_old(self, to: Path, now: datetime) -> None:
        """Leave everything where it is."""


def plant_tool(tools: Tools) -> Tools:
    """Return the tools with the broken one in place."""
    return replace(tools, backup=HoardingBackup)
