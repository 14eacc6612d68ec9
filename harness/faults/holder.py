"""A process that takes something of the machine and holds it: `python -m harness.faults.holder`.

One JSON line on its standard input says what: `{"take": "cpu", "cores": 1, "lease_s": 10}`, `{"take": "memory",
"megabytes": 64}` or `{"take": "disk", "directory": "/x", "leave": 0}`; each further line, `{"lease_s": 10}`, renews.
It says `{"holding": N}` once it holds, or `{"error": TEXT}`.

Everything is let go by the kernel when it ends, and it ends for certain: when its input closes, when nobody renews the
lease (an alarm that nothing here can block), and where the machine runs short.
"""

import contextlib
import ctypes
import errno
import json
import mmap
import os
import select
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

FLOOR_BYTES = 256 << 20
"""What is left of the machine's memory, whatever was asked for."""
MOST_DISK_BYTES = 4 << 30
MAY_FILL = ".harness-may-fill"
_PDEATHSIG = 1
_CHUNK = 16 << 20


def main() -> None:
    """Take, hold, let go."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for control
    orders = open(0, "rb", buffering=0)  # noqa: SIM115 - standard input, unbuffered: select looks at it next
    wanted = json.loads(orders.readline())
    signal.alarm(max(1, round(wanted["lease_s"])))
    try:
        held, keep = _take(wanted)
    except (OSError, ValueError) as error:
        _say({"error": str(error)})
        sys.exit(1)
    _say({"holding": held})
    while True:
        readable, _, _ = select.select([0], [], [], 0.2)
        if readable:
            line = orders.readline()
            if not line:
                break
            signal.alarm(max(1, round(json.loads(line)["lease_s"])))
        if wanted["take"] == "memory" and available_bytes() < FLOOR_BYTES // 2:
            sys.exit(2)  # others need it more
    del keep


def _take(wanted: dict[str, Any]) -> tuple[int, object]:
    match wanted["take"]:
        case "cpu":
            cores = min(int(wanted["cores"]), os.cpu_count() or 1)
            return cores, [_burner() for _ in range(cores)]
        case "memory":
            return int(wanted["megabytes"]), _memory(int(wanted["megabytes"]) << 20)
        case "disk":
            return _disk(Path(wanted["directory"]), int(wanted["leave"]) << 20)
        case other:
            raise ValueError(f"nobody knows how to take {other!r}")


def _burner() -> int:
    """Start a process that does nothing, as fast as it can, until this one ends."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    while os.getppid() == parent:
        for _ in range(100_000):
            pass
    os._exit(0)


def _memory(wanted_bytes: int) -> mmap.mmap:
    if available_bytes() - wanted_bytes < FLOOR_BYTES:
        free = available_bytes() >> 20
        raise ValueError(f"{wanted_bytes >> 20} MiB of {free} MiB free would leave less than {FLOOR_BYTES >> 20} MiB")
    held = mmap.mmap(-1, wanted_bytes)
    for start in range(0, wanted_bytes, mmap.PAGESIZE):
        held[start] = 1  # touched, or it would not be taken at all
    return held


def _disk(directory: Path, leave_bytes: int) -> tuple[int, object]:
    """Fill with a file that has no name: it is gone with this process, however that ends."""
    if why := may_not_fill(directory):
        raise ValueError(why)
    file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 - held until the process ends
    held, size = 0, _CHUNK
    while size >= 4096:
        stat = os.statvfs(directory)
        size = min(size, max(0, stat.f_bavail * stat.f_frsize - leave_bytes)) if leave_bytes else size
        if size < 4096:
            break
        try:
            os.posix_fallocate(file.fileno(), held, size)
            held += size
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            size //= 2
    return held, file


def may_not_fill(directory: Path) -> str | None:
    """Return why a directory must not be filled, or None: it takes a file system that was made for it."""
    path = directory.resolve()
    if not path.is_dir() or not path.is_mount() or path == Path("/"):
        return f"{directory} is no file system of its own"
    if not (path / MAY_FILL).is_file():
        return f"{directory} has no file {MAY_FILL}: put one there if it may be filled"
    stat = os.statvfs(path)
    if stat.f_blocks * stat.f_frsize > MOST_DISK_BYTES:
        return f"{directory} is larger than {MOST_DISK_BYTES >> 30} GiB: it was hardly made to be filled"
    return None


def available_bytes() -> int:
    """Return how much memory could be had without swapping."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    return 0


def _say(message: dict[str, object]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()
