"""The wall clock of this process: the machine's, moved by what stands in a file.

A process cannot be given a wall clock of its own by Linux, so whoever tests what a wrong one does says it here:
`SERVICE_CLOCK=FILE`, in which stands `+3600` or `-86400.5`, seconds from the machine's clock. That is how libfaketime
reads its `FAKETIME_TIMESTAMP_FILE`. No file, or one that says nothing of the kind, moves nothing. What is measured
(deadlines, breakers, leases of this process) goes by the monotonic clock and is never moved.
"""

import contextlib
import functools
import os
import time
from datetime import UTC, datetime
from pathlib import Path

_LOOK_EVERY_S = 0.05


def wall_s() -> float:
    """Return the seconds since 1970 by this process's clock."""
    return _clock().now_s()


def wall_now() -> datetime:
    """Return the moment by this process's clock, UTC."""
    return datetime.fromtimestamp(wall_s(), UTC)


class Clock:
    """A clock that is moved by a file, looked at twenty times a second at most. path: None for the machine's own."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._offset_s = 0.0
        self._looked_s = -_LOOK_EVERY_S

    def now_s(self) -> float:
        """Return the seconds since 1970."""
        if self._path is None:
            return time.time()
        if (now_s := time.monotonic()) - self._looked_s >= _LOOK_EVERY_S:
            self._looked_s = now_s
            self._offset_s = _offset_s(self._path)
        return time.time() + self._offset_s


def _offset_s(path: Path) -> float:
    with contextlib.suppress(OSError, ValueError):
        written = path.read_text(encoding="ascii").strip()
        if written[:1] in {"+", "-"}:
            return float(written)
    return 0.0


@functools.cache
def _clock() -> Clock:
    told = os.environ.get("SERVICE_CLOCK", "")
    return Clock(Path(told) if told else None)
