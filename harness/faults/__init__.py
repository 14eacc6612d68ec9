"""Faults applied for certain and removed for certain.

The public names are loaded when they are first used: the guardian's process lives in this room too, and must start
fast and stay small.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.faults.backend import Backend
    from harness.faults.guardian.connection import Guardian
    from harness.faults.guardian.leftovers import heal_leftovers
    from harness.faults.injector import FaultInjector
    from harness.faults.rehearsal import rehearse
    from harness.faults.steps import Recorder

__all__ = ["Backend", "FaultInjector", "Guardian", "Recorder", "heal_leftovers", "rehearse"]

_HOMES = {
    "Backend": "harness.faults.backend",
    "FaultInjector": "harness.faults.injector",
    "Guardian": "harness.faults.guardian.connection",
    "Recorder": "harness.faults.steps",
    "heal_leftovers": "harness.faults.guardian.leftovers",
    "rehearse": "harness.faults.rehearsal",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
