"""System V shared memory that a killed process leaves behind: the kernel keeps it until somebody removes it.

PostgreSQL holds a few bytes of it as a lock, and only gives it back when it ends in its own time.
"""

import ctypes
import time
from collections.abc import Iterable
from pathlib import Path

_IPC_RMID = 0
_SEGMENTS = Path("/proc/sysvipc/shm")


def remove_segments(creators: Iterable[int], *, made_before_s: float | None = None) -> int:
    """Remove the segments that dead processes of ours made and nobody uses; return how many.

    creators: their pids. made_before_s: wall clock; a later segment belongs to someone who got the pid after them.
    """
    pids = frozenset(creators)
    latest_s = time.time() if made_before_s is None else made_before_s
    libc = ctypes.CDLL(None)
    removed = 0
    try:
        header, *rows = _SEGMENTS.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return 0
    for row in rows:
        segment = dict(zip(header.split(), map(int, row.split()), strict=False))
        if segment["cpid"] in pids and segment["nattch"] == 0 and segment["ctime"] <= latest_s:
            removed += libc.shmctl(segment["shmid"], _IPC_RMID, None) == 0
    return removed
