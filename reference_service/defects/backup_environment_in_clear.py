"""Planted defect: a backup holds the service's secrets in clear."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from reference_service.operations.archive import Backup
from reference_service.operations.tools import Tools


class OpenBackup(Backup):
    """Keeps the settings readable."""

    def seal_environment(self, to: Path, environment: Mapping[str, str], passphrase: str) -> None:
        """Write them as they are."""
        super().seal_environment(to, environment, passphrase)
        to.write_text(json.dumps(dict(environment)), encoding="utf-8")


def plant_tool(tools: Tools) -> Tools:
    """Return the tools with the broken one in place."""
    return replace(tools, backup=OpenBackup)
