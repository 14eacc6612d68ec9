"""Limits of a running process, lowered and restored: its soft ones only, which need no privilege to come back."""

import resource
from pathlib import Path

from harness.errors import FaultError
from harness.faults.guardian.undo import LimitStep
from harness.faults.procfs import Bound, lives, pinned

_RESOURCES = {"file_descriptors": resource.RLIMIT_NOFILE, "memory_ceiling": resource.RLIMIT_AS}
SIGNS = {
    "file_descriptors": ("Too many open files", "EMFILE"),
    "memory_ceiling": ("MemoryError", "Cannot allocate memory", "out of memory", "Out of memory"),
}
"""What programs write when they meet the limit."""


def present(kind: str, process: Bound) -> tuple[int, int]:
    """Return (soft, hard). Raises FaultError."""
    return _prlimit(kind, process, None)


def lower(kind: str, process: Bound, spare: int) -> int:
    """Let the process have `spare` more and then nothing: descriptors, or MiB. Return its new soft limit."""
    soft, hard = present(kind, process)
    wanted = _descriptors(process, spare) if kind == "file_descriptors" else _bytes_in_use(process) + (spare << 20)
    if soft != resource.RLIM_INFINITY and wanted > soft:
        raise FaultError(f"process {process.pid} may have {soft} already; {wanted} would not be lower")
    _prlimit(kind, process, (wanted, hard))
    return wanted


def restore(step: LimitStep) -> str | None:
    """Do an undo step; return what a person does instead, or None. A process that has ended took its limits along."""
    process = Bound(pid=step.pid, start_ticks=step.start_ticks)
    if not lives(process):
        return None
    try:
        _prlimit(step.kind, process, (step.soft, step.hard))
    except FaultError as error:
        option = "--nofile" if step.kind == "file_descriptors" else "--as"
        return f"prlimit --pid {step.pid} {option}={step.soft}:{step.hard} ({error.message})"
    return None


def _prlimit(kind: str, process: Bound, limits: tuple[int, int] | None) -> tuple[int, int]:
    with pinned(process):
        try:
            if limits is None:
                return resource.prlimit(process.pid, _RESOURCES[kind])
            return resource.prlimit(process.pid, _RESOURCES[kind], limits)
        except (OSError, ValueError) as error:
            raise FaultError(f"the limits of process {process.pid} cannot be changed: {error}") from error


def _descriptors(process: Bound, spare: int) -> int:
    """Return the soft limit below which just `spare` numbers are free: it bounds numbers, not how many are open."""
    try:
        taken = {int(entry.name) for entry in Path(f"/proc/{process.pid}/fd").iterdir()}
    except OSError as error:
        raise FaultError(f"the descriptors of process {process.pid} cannot be seen: {error.strerror}") from error
    number = 0
    while number in taken or spare > 0:
        spare -= number not in taken
        number += 1
    return number


def _bytes_in_use(process: Bound) -> int:
    try:
        pages = int(Path(f"/proc/{process.pid}/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError) as error:
        raise FaultError(f"the memory of process {process.pid} cannot be seen: {error}") from error
    return pages * resource.getpagesize()
