"""Where a stack is built: start a program, wait until it is ready, say what went wrong where it is not."""

import contextlib
import errno
import http.client
import os
import secrets
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from harness.errors import StackError, StorageError
from harness.model.target import ProcessHandle
from harness.target.supervise.children import Spawn
from harness.target.supervise.logs import Mask, announced, last_lines
from harness.target.supervise.supervisor import Supervisor, python_environment

T = TypeVar("T")

_POLL_S = 0.02
_FULL_BELOW_BYTES = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program of the stack and how to end it. Secrets in `environment` or `stdin` only."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    stdin: str | None = field(default=None, repr=False)
    user: tuple[int, int] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_layer: int = 0

    @classmethod
    def python(cls, name: str, module: str, *arguments: str, **rest: object) -> "Program":
        """Return a Python program of our own, `python -m MODULE`."""
        return cls(name=name, command=(sys.executable, "-m", module, *arguments), **rest)  # type: ignore[arg-type]


class Site:
    """A stack under construction. Safe to use from several threads; `give_up` ends all their waiting."""

    def __init__(self, supervisor: Supervisor, *, logs: Path, mask: Mask) -> None:
        self.supervisor = supervisor
        self.directory = supervisor.directory
        self.logs = logs.resolve()
        self.mask = mask
        self._given_up = threading.Event()
        self._lock = threading.Lock()
        self._ports: set[int] = set()
        self._handles: dict[str, ProcessHandle] = {}
        self._again: dict[str, Callable[[], object]] = {}
        self._home = self.directory / "home"
        self._home.mkdir(mode=0o700)

    def move_logs(self, logs: Path, mask: Mask) -> None:
        """Let what is started from now on write elsewhere; what runs goes on where it was."""
        logs.mkdir(parents=True, exist_ok=True)
        self.logs, self.mask = logs.resolve(), mask

    def give_up(self) -> None:
        """Let everyone who waits here stop waiting."""
        self._given_up.set()

    def handles(self) -> dict[str, ProcessHandle]:
        """Return the last process of each name that became ready."""
        with self._lock:
            return dict(self._handles)

    def log(self, name: str) -> Path:
        """Return where a process writes."""
        return self.logs / f"{name}.log"

    def free_port(self) -> int:
        """Return a port of 127.0.0.1 that is free now.

        Below the range that Linux deals out by itself, so that no connection takes it before the server does.
        """
        for _ in range(200):
            port = 20_000 + secrets.randbelow(12_000)
            with self._lock:
                if port not in self._ports and not port_taken(port):
                    self._ports.add(port)
                    return port
        raise StackError("no free port found on 127.0.0.1 between 20000 and 32000", advice="what listens there? see: ss -ltn")

    def start(self, program: Program, ready: Callable[[], T | None], *, within_s: float) -> T:
        """Start a program and return what `ready` first returns that is not None.

        Raises StackError that shows the program's last words where it ends or is not ready in time.
        """
        identity = self.supervisor.spawn(self._spawn(program))
        found = self.wait(program.name, ready, within_s=within_s)
        with self._lock:
            self._handles[program.name] = ProcessHandle(
                name=program.name, pid=identity.pid, start_ticks=identity.start_ticks, log=self.log(program.name)
            )
        return found

    def listen(self, make: Callable[[int], Program], ready: Callable[[int], T | None], *, within_s: float) -> int:
        """Start a server that must be told its port, and return that port once `ready` says so; another port if taken.

        make: from a port to the program. Raises StackError.
        """
        for attempt in range(3):
            port = self.free_port()
            program = make(port)
            try:
                self.start(program, lambda port=port: ready(port), within_s=within_s)  # type: ignore[misc]
            except StackError:
                lost_the_race = program.name in self.supervisor.exits() and port_taken(port)
                if attempt == 2 or not lost_the_race:
                    raise
            else:
                self.remember(program.name, lambda: self.start(program, lambda: ready(port), within_s=within_s))  # noqa: B023 - the loop ends here
                return port
        raise AssertionError("unreachable: the last attempt returns or raises")

    def announce(self, program: Program, *, event: str = "ready", within_s: float) -> Mapping[str, object]:
        """Start a program and return the JSON line by which it says that it is ready."""
        log = self.log(program.name)
        after = log.stat().st_size if log.exists() else 0
        said = self.start(program, lambda: announced(log, event, after=after), within_s=within_s)
        self.remember(program.name, lambda: self.announce(program, event=event, within_s=within_s))
        return said

    def remember(self, name: str, start: Callable[[], object]) -> None:
        """Keep how a program is started once more, where it was before."""
        self._again[name] = start

    def start_again(self, name: str) -> None:
        """Start a program that has ended once more, in its old place. Raises KeyError for a stranger, StackError."""
        self._again[name]()

    def run(self, program: Program, *, within_s: float) -> None:
        """Start a program that ends by itself, and wait for it. Raises StackError where it fails."""
        self.supervisor.spawn(self._spawn(program))
        code = self.wait(program.name, lambda: self.supervisor.exits().get(program.name), within_s=within_s, may_end=True)
        if code != 0:
            raise self._failure(program.name, f"failed {_ending(code)}")

    def wait(self, name: str, ready: Callable[[], T | None], *, within_s: float, may_end: bool = False) -> T:
        """Return what `ready` first returns that is not None. Raises StackError."""
        deadline = time.monotonic() + within_s
        while True:
            if (found := ready()) is not None:
                return found
            exits = self.supervisor.exits()
            if name in exits and not may_end:
                raise self._failure(name, f"ended {_ending(exits[name])} before it was ready")
            if "keeper" in exits:
                raise StackError("the keeper of the stack's processes was ended from outside")
            if self._given_up.is_set():
                raise GivenUpError("another part of the stack did not start")
            if time.monotonic() > deadline:
                raise self._failure(name, f"was not ready within {within_s:.0f} s")
            self.supervisor.wait_for_news(within_s=_POLL_S)

    def _spawn(self, program: Program) -> Spawn:
        environment = python_environment() | {"HOME": str(self._home), "TMPDIR": str(self.directory)}
        return Spawn(
            name=program.name,
            command=tuple(program.command),
            environment=environment | dict(program.environment),
            directory=str(self.directory),
            log=str(self.log(program.name)),
            stdin=program.stdin,
            user=program.user,
            stop_signal=program.stop_signal,
            stop_layer=program.stop_layer,
        )

    def _failure(self, name: str, what: str) -> StackError | StorageError:
        for place in (self.directory, self.logs):
            with contextlib.suppress(OSError):
                if shutil.disk_usage(place).free < _FULL_BELOW_BYTES:
                    return StorageError(
                        f"{name} {what}: the disk that holds {place} is full", advice="free some space, or set TMPDIR"
                    )
        lines = last_lines(self.log(name), self.mask)
        said = "".join(f"\n    {line}" for line in lines) or " nothing"
        return StackError(f"{name} {what}; it said last ({self.logs / f'{name}.log'}):{said}")


class GivenUpError(StackError):
    """Waiting ended because another part of the stack failed: never the error to show."""


def port_taken(port: int) -> bool:
    """Return whether somebody listens on, or holds, a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return True
    return False


def answers(address: str, path: str) -> bool | None:
    """Return True where `GET path` at `host:port` is answered with a 2xx; None otherwise."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=2.0)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return True if 200 <= response.status < 300 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _ending(code: int) -> str:
    if code >= 0:
        return f"with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"by {signal.Signals(-code).name}"
    return f"by signal {-code}"


def runs_as_root() -> bool:
    """Return whether processes started here would be root's."""
    return os.geteuid() == 0
