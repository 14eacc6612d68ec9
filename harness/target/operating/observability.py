"""The reference service's own alert rules, their routing and dashboards, as files: nothing of it is imported."""

import importlib.util
import json
from pathlib import Path

from harness.errors import StackError

_RULES = ("recording.yml", "alerts.yml")
_ROUTING = "alertmanager.yml"


def alert_rules() -> dict[str, str]:
    """Return each file of rules by its name. Raises StackError."""
    try:
        return {name: (_folder() / "rules" / name).read_text(encoding="utf-8") for name in _RULES}
    except OSError as error:
        raise StackError(f"the alert rules cannot be read: {error}") from error


def alert_routing() -> dict[str, str]:
    """Return Alertmanager's configuration by its name. Raises StackError."""
    try:
        return {_ROUTING: (_folder() / _ROUTING).read_text(encoding="utf-8")}
    except OSError as error:
        raise StackError(f"the routing of alerts cannot be read: {error}") from error


def panels() -> dict[str, str]:
    """Return the query of each panel by `DASHBOARD: TITLE`; a further query of a panel has a number behind it.

    Raises StackError.
    """
    told: dict[str, str] = {}
    try:
        for file in sorted((_folder() / "dashboards").glob("*.json")):
            for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
                for number, target in enumerate(panel.get("targets", ()), start=1):
                    told[f"{file.stem}: {panel['title']}{f' {number}' if number > 1 else ''}"] = str(target["expr"])
    except (OSError, ValueError, KeyError) as error:
        raise StackError(f"the dashboards cannot be read: {error}") from error
    return told


def _folder() -> Path:
    found = importlib.util.find_spec("reference_service")
    for place in (found.submodule_search_locations if found else None) or ():
        return Path(place) / "observability"
    raise StackError("the reference service is not installed here")
