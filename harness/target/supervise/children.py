"""Processes as the keeper starts and ends them. Runs in the keeper only: one thread, so that forking is safe."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.target.supervise.procfs import Identity, descendants, identify, send

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LATER_LAYER_S = 0.6
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spawn:
    """What to start. Secrets belong in `environment` or `stdin`, never in `command`.

    log: standard output and error go to its end. user: (uid, gid) to become, as root only.
    stop_signal: what asks it to end. stop_layer: lower layers are asked, and waited for, before higher ones.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    directory: str
    log: str
    stdin: str | None = field(default=None, repr=False)
    user: tuple[int, int] | None = None
    stop_signal: int = signal.SIGTERM
    stop_layer: int = 0


def adopt_orphans() -> None:
    """Make this process the parent of every descendant whose own parent ends, so that none gets away."""
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@dataclass(slots=True, kw_only=True)
class _Child:
    spawn: Spawn
    process: subprocess.Popen[bytes]
    identity: Identity


class Children:
    """Every process that this one started. Not for use from several threads."""

    def __init__(self) -> None:
        self._running: dict[int, _Child] = {}

    def start(self, spawn: Spawn) -> Identity:
        """Start a process in a session of its own that dies with this one. Raises OSError."""
        keeper = os.getpid()

        def die_with_keeper() -> None:
            # What the keeper ignores its children must hear: an ignored signal stays ignored over exec.
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
                signal.signal(number, signal.SIG_DFL)
            # Set after the change of user, which would clear it; and if the keeper ended meanwhile, end too.
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != keeper:
                os._exit(1)

        become: dict[str, object] = {}
        if spawn.user is not None:
            become = {"user": spawn.user[0], "group": spawn.user[1], "extra_groups": ()}
        with Path(spawn.log).open("ab", buffering=0) as log, _standard_input(spawn.stdin) as standard_input:
            process: subprocess.Popen[bytes] = subprocess.Popen(  # type: ignore[call-overload]
                list(spawn.command),
                stdin=standard_input,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=spawn.directory,
                env=dict(spawn.environment),
                start_new_session=True,
                preexec_fn=die_with_keeper,  # noqa: PLW1509 - unsafe with threads only, and the keeper has one
                **become,
            )
        # Not reaped yet, so the pid is still its own even if it has ended already.
        identity = identify(process.pid) or Identity(pid=process.pid, start_ticks=-1)
        self._running[process.pid] = _Child(spawn=spawn, process=process, identity=identity)
        return identity

    def reap(self) -> list[tuple[str, int]]:
        """Return (name, exit code) of the processes that ended since the last call; orphans are reaped in silence.

        The exit code is negative for a signal, as `subprocess` has it.
        """
        ended: list[tuple[str, int]] = []
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return ended
            if pid == 0:
                return ended
            child = self._running.pop(pid, None)
            if child is not None:
                child.process.returncode = os.waitstatus_to_exitcode(status)
                # A killed process with threads can be reaped only after the next of its name was started: the end of
                # the one before is no news of the one that runs.
                if not any(other.spawn.name == child.spawn.name for other in self._running.values()):
                    ended.append((child.spawn.name, child.process.returncode))

    def stop(self, *, within_s: float, report: Callable[[str, int], None]) -> list[str]:
        """Ask every process to end, layer by layer; kill what does not. Return the names of those killed."""
        deadline = time.monotonic() + within_s
        layers = sorted({child.spawn.stop_layer for child in self._running.values()})
        for position, layer in enumerate(layers):
            asked = [child for child in self._running.values() if child.spawn.stop_layer == layer]
            for child in reversed(asked):
                # A frozen process can only hear the request once it is thawed.
                send(child.identity, signal.Signals(child.spawn.stop_signal), signal.SIGCONT)
            # The first layers have the time to finish what is in flight; each later one is sure of a little.
            kept_back_s = _LATER_LAYER_S * (len(layers) - position - 1)
            self._wait({child.identity.pid for child in asked}, deadline - kept_back_s, report)
        killed = [child.spawn.name for child in self._running.values()]
        self.kill_all(report=report)
        return killed

    def kill_all(self, *, report: Callable[[str, int], None], within_s: float = 1.5) -> bool:
        """Kill every process and all that they started; return whether none is left."""
        deadline = time.monotonic() + within_s
        while left := descendants(os.getpid()):
            for identity in left:
                send(identity, signal.SIGKILL)
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
            for name, code in self.reap():
                report(name, code)
        for name, code in self.reap():
            report(name, code)
        return True

    def _wait(self, pids: set[int], deadline: float, report: Callable[[str, int], None]) -> None:
        while pids & self._running.keys() and time.monotonic() < deadline:
            for name, code in self.reap():
                report(name, code)
            time.sleep(0.01)


@contextlib.contextmanager
def _standard_input(text: str | None) -> Iterator[int]:
    """Give a descriptor to read `text` from that is in memory only: what is written there may be secret."""
    descriptor = os.open(os.devnull, os.O_RDONLY) if text is None else os.memfd_create("stdin")
    try:
        if text is not None:
            view = memoryview(text.encode())
            while view:
                view = view[os.write(descriptor, view) :]
            os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)
