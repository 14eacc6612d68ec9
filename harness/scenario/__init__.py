"""From a YAML file to a frozen plan; every error names file, line, what is allowed and what may have been meant.

The names here are imported when they are first asked for: `harness list` reads the catalogue and needs no schema.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.scenario.catalogue import catalogue_paths, find_scenario
    from harness.scenario.compile import compile_plan
    from harness.scenario.read import ScenarioFile, read_scenario

__all__ = ["ScenarioFile", "catalogue_paths", "compile_plan", "find_scenario", "read_scenario"]

_HOMES = {
    "ScenarioFile": "read",
    "read_scenario": "read",
    "compile_plan": "compile",
    "catalogue_paths": "catalogue",
    "find_scenario": "catalogue",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
