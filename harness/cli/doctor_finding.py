"""One thing that `harness doctor` looked at."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was looked at, and what was found. needed: without it the embedded target cannot run."""

    what: str
    ok: bool
    needed: bool
    found: str
