"""Processes by what `/proc` says, bound by pid and start time so that a reused pid is never taken for another."""

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

STAMP = "LLM_HARNESS_STACK"
"""The environment variable by which a stack's processes know whose they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One process for all time (of this boot). start_ticks: field 22 of `/proc/PID/stat`."""

    pid: int
    start_ticks: int


def identify(pid: int) -> Identity | None:
    """Return who has this pid now; None where nobody has."""
    fields = _stat_fields(pid)
    return None if fields is None else Identity(pid=pid, start_ticks=int(fields[19]))


def is_alive(identity: Identity) -> bool:
    """Return whether that very process still runs; one that only waits to be reaped does not."""
    fields = _stat_fields(identity.pid)
    return fields is not None and int(fields[19]) == identity.start_ticks and fields[0] not in {"Z", "X"}


def send(identity: Identity, *signals: signal.Signals) -> bool:
    """Send signals to that very process, through a pidfd; return False where it is gone or not ours to signal."""
    try:
        descriptor = os.pidfd_open(identity.pid)
    except OSError:
        return False
    try:
        # The pidfd pins the process: if the ticks fit now, what is signalled below is what was meant.
        if not is_alive(identity):
            return False
        for number in signals:
            signal.pidfd_send_signal(descriptor, number)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def descendants(pid: int) -> list[Identity]:
    """Return every living process below one, children before grandchildren."""
    children: dict[int, list[Identity]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat_fields(int(entry.name))) and fields[0] not in {"Z", "X"}:
            children.setdefault(int(fields[1]), []).append(Identity(pid=int(entry.name), start_ticks=int(fields[19])))
    found: list[Identity] = []
    waiting = [pid]
    while waiting:
        below = children.pop(waiting.pop(0), [])
        found += below
        waiting += [child.pid for child in below]
    return found


def stamped(stack_id: str) -> list[Identity]:
    """Return every living process that was started for a stack, by whomever: all inherit its name in their environment."""
    stamp = f"\0{STAMP}={stack_id}\0".encode()
    found: list[Identity] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (identity := identify(int(entry.name))) is not None:
            with contextlib.suppress(OSError):  # not ours to read, or gone
                if stamp in b"\0" + (entry / "environ").read_bytes() and is_alive(identity):
                    found.append(identity)
    return found


def end_all(identities: Iterable[Identity], *, within_s: float) -> list[Identity]:
    """Kill processes and all that they started; return those that are still there after `within_s` seconds."""
    roots = list(identities)
    known = dict.fromkeys(roots)
    for root in roots:
        if is_alive(root):
            known.update(dict.fromkeys(descendants(root.pid)))
    for identity in known:
        send(identity, signal.SIGKILL)
    return wait_gone(known, within_s=within_s)


def wait_gone(identities: Iterable[Identity], *, within_s: float) -> list[Identity]:
    """Wait until processes are gone; return those that are still there after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    left = [identity for identity in identities if is_alive(identity)]
    while left and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            descriptor = os.pidfd_open(left[0].pid)
            try:
                select.select([descriptor], [], [], 0.02)
            finally:
                os.close(descriptor)
        left = [identity for identity in left if is_alive(identity)]
    return left


def _stat_fields(pid: int) -> list[str] | None:
    """Return the fields of `/proc/PID/stat` after the name, which may itself hold spaces and brackets."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()
