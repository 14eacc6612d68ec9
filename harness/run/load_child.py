"""One child process of the load room: its orders go in as lines, its events come out as lines."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from harness.errors import ConfigurationError, ExitCode, HarnessError, LoadError

Message = dict[str, object]


class Child:
    """A process `python -m harness.load ROLE`. name: what messages call it. Raises LoadError from `send` and `wait_for`."""

    def __init__(self, role: Sequence[str], log: Path, *, name: str) -> None:
        self._name = name
        self._messages: queue.Queue[Message | None] = queue.Queue()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
        self._last: deque[str] = deque(maxlen=8)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.load", *role],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a terminal's Ctrl-C is for the conductor, which stops the load in order
            env=environment,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._logging = threading.Thread(target=self._keep, args=(self._process.stderr, log), daemon=True)
        self._logging.start()
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, line: bytes) -> None:
        """Give it one line."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise LoadError(f"{self._name} does not listen{self.last_lines()}") from error

    def wait_for(self, event: str, within_s: float) -> Message:
        """Return the first message of that event; those before it are passed over."""
        deadline = time.monotonic() + within_s
        while True:
            try:
                message = self._messages.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise LoadError(f"{self._name} was not ready within {within_s:.0f} s{self.last_lines()}") from None
            if message is None:
                raise self.why(f"{self._name} died at its start")
            if message.get("event") == event:
                return message

    def messages(self) -> Iterator[Message | None]:
        """Yield what it has said since; None once it can say no more."""
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._messages.get_nowait()

    def raise_if_over(self, when: str) -> None:
        """Raise LoadError where it has ended, well or not."""
        if self._process.poll() is not None:
            raise self.why(f"{self._name} died {when}")

    def raise_if_failed(self) -> None:
        """Raise LoadError where it gave up by itself; one that was killed is for the master to miss."""
        code = self._process.poll()
        if code is not None and code > 0:
            raise self.why(f"{self._name} gave up in the middle of the run")

    def why(self, what: str) -> HarnessError:
        """Return the error of its end: the user's to mend where it says so, by its exit code, else our own trouble."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1.0)
        if self._process.returncode == ExitCode.CONFIGURATION:
            said = [line.removeprefix("harness.load: ") for line in self._said()]
            return ConfigurationError("\n".join(said) or what)
        return LoadError(f"{what}{self.last_lines()}")

    def was_killed(self) -> bool:
        """Return True where a signal ended it."""
        code = self._process.poll()
        return code is not None and code < 0

    def close(self) -> None:
        """Close its input: it stops by itself."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(OSError):  # it is gone already
                self._process.stdin.close()

    def wait(self, within_s: float) -> None:
        """Wait for its end, and bring it about where it does not come."""
        try:
            self._process.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def last_lines(self) -> str:
        """Return the last that it said, indented, to go behind a message."""
        return "".join(f"\n    {line}" for line in self._said())

    def _said(self) -> list[str]:
        self._logging.join(timeout=0.5)  # of one that has just died, hear all of it
        return list(self._last)

    def _keep(self, stream: IO[bytes], log: Path) -> None:
        """Write its log, and remember the end of it: a full disk must not swallow the reason of a death."""
        for line in stream:
            self._last.append(line.decode(errors="replace").rstrip())
            with contextlib.suppress(OSError), log.open("ab") as file:
                file.write(line)

    def _read(self, stream: IO[bytes]) -> None:
        for line in stream:
            try:
                message = json.loads(line)
            except ValueError:
                continue  # a stray print of a library is no message
            if isinstance(message, dict):
                self._messages.put(message)
        self._messages.put(None)
