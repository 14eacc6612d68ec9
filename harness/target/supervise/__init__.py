"""Processes that end when they should, whatever ends first.

A keeper process starts every other process of a stack and outlives the harness by the moment it needs to end them:
see `docs/decisions/0050-a-keeper-starts-every-process.md`. `harness.target.keeper` is that process; this folder holds
what it does (`children`, `procfs`, `marker`, `removal`), the harness's side of it (`supervisor`, `logs`) and what finds
the remains of both (`leftovers`).
"""

from harness.target.supervise.leftovers import clean_leftovers
from harness.target.supervise.marker import default_state_directory

__all__ = ["clean_leftovers", "default_state_directory"]
