"""Processes as `/proc` shows them, and signals that reach the one meant or nobody."""

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import FaultError

_GONE = frozenset("ZX")
_STOPPED = frozenset("Tt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One process for all time of this boot. start_ticks: field 22 of `/proc/PID/stat`."""

    pid: int
    start_ticks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stat:
    state: str
    parent: int
    start_ticks: int


def bound(pid: int) -> Bound | None:
    """Return who has this pid now; None where nobody does."""
    stat = _stat(pid)
    return None if stat is None or stat.state in _GONE else Bound(pid=pid, start_ticks=stat.start_ticks)


def lives(process: Bound) -> bool:
    """Return whether that very process still runs; one that only waits to be reaped does not."""
    return bound(process.pid) == process


def is_stopped(process: Bound) -> bool:
    """Return whether it stands still under SIGSTOP."""
    stat = _stat(process.pid)
    return stat is not None and stat.start_ticks == process.start_ticks and stat.state in _STOPPED


def executable(process: Bound) -> str | None:
    """Return the file that it runs; None where that cannot be read."""
    with contextlib.suppress(OSError):
        path = str(Path(f"/proc/{process.pid}/exe").readlink())
        return path.removesuffix(" (deleted)") if lives(process) else None
    return None


def below(process: Bound) -> list[Bound]:
    """Return every living process that it started, and that those started, parents first."""
    children: dict[int, list[Bound]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))) is not None and stat.state not in _GONE:
            children.setdefault(stat.parent, []).append(Bound(pid=int(entry.name), start_ticks=stat.start_ticks))
    found = list(children.get(process.pid, []))
    for child in found:  # grows while it is walked
        found += children.get(child.pid, [])
    return found


def refusal(process: Bound) -> str | None:
    """Return why a process must not be touched, or None."""
    if process.pid == 1:
        return "it is pid 1"
    if process.pid in _own_line():
        return "it is the harness itself, or started it"
    with contextlib.suppress(OSError):
        owner = Path(f"/proc/{process.pid}").stat().st_uid
        if os.geteuid() not in {0, owner}:
            return f"it belongs to another user (uid {owner})"
    return None


@contextlib.contextmanager
def pinned(process: Bound) -> Iterator[int]:
    """Yield a pidfd of that very process. Raises FaultError where it is gone or must not be touched."""
    if why := refusal(process):
        raise FaultError(f"process {process.pid} is not touched: {why}")
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError as error:
        raise FaultError(f"process {process.pid} is gone: {error.strerror}") from error
    try:
        # The descriptor pins whoever has the pid: if the ticks fit now, it is the one that was meant.
        if not lives(process):
            raise FaultError(f"process {process.pid} is gone, and its pid may be another's now")
        yield descriptor
    finally:
        os.close(descriptor)


def send(process: Bound, number: signal.Signals) -> None:
    """Send a signal. Raises FaultError where the process is gone, or is not ours to signal."""
    with pinned(process) as descriptor:
        try:
            signal.pidfd_send_signal(descriptor, number)
        except OSError as error:
            raise FaultError(f"cannot send {number.name} to process {process.pid}: {error.strerror}") from error


def _own_line() -> set[int]:
    """Return this process and every ancestor of it."""
    line, pid = set(), os.getpid()
    while pid > 0 and pid not in line:
        line.add(pid)
        stat = _stat(pid)
        pid = 0 if stat is None else stat.parent
    return line


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold spaces and brackets
    return _Stat(state=fields[0], parent=int(fields[1]), start_ticks=int(fields[19]))
