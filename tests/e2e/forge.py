"""A process that has the service imported already and gives birth to instances: a second of imports for each of hundreds of
starts was the longest part of these tests.

What it starts is a child of the test, not of the forge: it is waited for, signalled and killed as any other. What the
service does at its start is all done by the child; its being started by `python -m` has tests of its own.
"""

import contextlib
import ctypes
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NoReturn

ROOT = Path(__file__).parents[2]
PROGRAMS = ("reference_service.serve", "reference_service.worker", "killed_worker", "quick_provider")
ORDER_BYTES = 1 << 20
_SET_CHILD_SUBREAPER = 36


class Forged:
    """A running child: what the tests use of `subprocess.Popen`."""

    def __init__(self, pid: int, args: list[str], stdout: IO[bytes]) -> None:
        self.pid = pid
        self.args = args
        self.stdout = stdout
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return its exit code once it has ended; negative: by that signal."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
                self.stdout.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code. Raises subprocess.TimeoutExpired."""
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and time.monotonic() >= end:
                assert timeout is not None
                raise subprocess.TimeoutExpired(self.args, timeout)
            time.sleep(0.01)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class Forge:
    """The process that gives birth. It ends with its socket, so also when the tests are killed."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            clean = {name: value for name, value in os.environ.items() if not name.startswith("SERVICE_")}
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())], pass_fds=(theirs.fileno(),), env=clean, cwd=ROOT
            )

    def start(self, program: str, arguments: list[str], environment: Mapping[str, str], errors: IO[bytes]) -> Forged:
        """Start one of PROGRAMS; `errors` takes its standard error."""
        order = json.dumps({"program": program, "arguments": arguments, "environment": dict(environment)}).encode()
        read, write = os.pipe()
        # Its birth is the one moment at which this process takes in orphans: others' are not ours to wait for.
        _takes_orphans(True)
        try:
            socket.send_fds(self._socket, [order], [write, errors.fileno()])
            pid = int(self._socket.recv(100))
        finally:
            _takes_orphans(False)
            os.close(write)
        return Forged(pid, [program, *arguments], os.fdopen(read, "rb"))

    def close(self) -> None:
        """End the forge; its children live on."""
        self._socket.close()
        self._process.wait(10)


def _takes_orphans(yes: bool) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, int(yes), 0, 0, 0)


def give_birth(orders: socket.socket) -> int:
    """Fork a grandchild for each order and say its pid; return when there are no more."""
    for name in PROGRAMS:
        importlib.import_module(name)
    while True:
        message, files, _, _ = socket.recv_fds(orders, ORDER_BYTES, 2)
        if not message:
            return 0
        read, write = os.pipe()
        if (between := os.fork()) == 0:
            if (child := os.fork()) != 0:
                os.write(write, str(child).encode())
                os._exit(0)
            orders.close()
            for descriptor in (read, write):
                os.close(descriptor)
            be(json.loads(message), files)
        os.close(write)
        os.waitpid(between, 0)  # from here on the grandchild is the test's child
        orders.send(os.read(read, 100))
        for descriptor in (read, *files):
            os.close(descriptor)


def be(order: dict[str, Any], files: list[int]) -> NoReturn:
    """Become what was ordered, and end with its exit code; to take all those imports apart first would take a third of a second."""
    for number, descriptor in enumerate(files, start=1):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = [order["program"], *order["arguments"]]
    code = 1
    try:
        code = int(importlib.import_module(order["program"]).main())
    except BaseException:  # noqa: BLE001 - whatever ended it stands in its log
        traceback.print_exc()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    raise SystemExit(give_birth(socket.socket(fileno=int(sys.argv[1]))))
