"""What can be planted in the reference service, as it says itself: the harness imports nothing of it."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import StackError
from harness.target.supervise.supervisor import python_environment

_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedDefect:
    """One way to break the service. row: of the readiness list, which it breaks; parts: where that was asked for."""

    title: str
    row: str
    parts: frozenset[str] = frozenset()


def planted_defects() -> Mapping[str, PlantedDefect]:
    """Return every defect by its name. Raises StackError where the service's own list cannot be had."""
    return _listed()


def parts_of_defects() -> Mapping[str, frozenset[str]]:
    """Return which parts of the service each defect breaks: two that share none can be planted together.

    Raises StackError where the service's own list cannot be had.
    """
    return {name: defect.parts for name, defect in _listed("--parts").items()}


def _listed(*arguments: str) -> Mapping[str, PlantedDefect]:
    command = [sys.executable, "-m", "reference_service.defects", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, env=python_environment(), timeout=_WITHIN_S, check=True)
        listed = json.loads(done.stdout)
        return {
            str(name): PlantedDefect(
                title=str(part["title"]), row=str(part["row"]), parts=frozenset(map(str, part.get("parts", ())))
            )
            for name, part in listed.items()
        }
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StackError(f"the reference service does not list its planted defects: {error}") from error
