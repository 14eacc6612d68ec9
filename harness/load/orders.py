"""The conductor's orders on standard input, read by a native thread: they arrive even when the loop hangs."""

import os
from collections.abc import Callable
from typing import TypeVar

from gevent import monkey
from gevent.event import AsyncResult
from gevent.hub import get_hub

from harness.errors import ExitCode, LoadError, RunDirectoryError
from harness.model.assignment import Assignment, Go, Muster
from harness.rundir.codec import from_json

T = TypeVar("T")
MAX_LINE_BYTES = 16 * 1024 * 1024
GRACE_S = 2.5
"""What the worker has, after the end of its input, to close its samples by itself."""


class Orders:
    """Reads lines until the end of the input. `on_end` is called on gevent's loop, once, when it comes.

    on_later: gets each line after the second, on gevent's loop.
    """

    def __init__(
        self,
        on_end: Callable[[], None],
        *,
        fd: int = 0,
        grace_s: float = GRACE_S,
        on_later: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self._fd = fd
        self._grace_s = grace_s
        self._lines: list[AsyncResult] = [AsyncResult(), AsyncResult()]
        self._found: list[bytes] = []
        self._ended = False
        self._on_end = on_end
        self._on_later = on_later
        self._later = 0
        self._wake = get_hub().loop.async_()
        self._wake.start(self._deliver)
        self._delivered = 0
        monkey.get_original("_thread", "start_new_thread")(self._read, ())

    def assignment(self) -> Assignment | None:
        """Wait for line 1. Returns None where the input ended. Raises LoadError on anything else."""
        return self._order(0, Assignment)

    def muster(self) -> Muster | None:
        """Wait for line 1 of a master. Returns None where the input ended. Raises LoadError on anything else."""
        return self._order(0, Muster)

    def go(self) -> Go | None:
        """Wait for line 2. Returns None where the input ended. Raises LoadError on anything else."""
        return self._order(1, Go)

    def call_off(self) -> None:
        """Wait for no further line: whoever asks for one is told that the input has ended."""
        for line in self._lines:
            if not line.ready():
                line.set(None)

    def _order(self, number: int, type_: type[T]) -> T | None:
        line: bytes | None = self._lines[number].get()
        if line is None:
            return None
        try:
            return from_json(line, type_, where=f"line {number + 1} of the standard input")
        except RunDirectoryError as error:
            raise LoadError(error.message) from None  # the line holds keys: say where, never what

    def _read(self) -> None:
        """Collect lines, wake the loop; after the end see to it that the process ends too."""
        rest = b""
        while True:
            try:
                data = os.read(self._fd, 65_536)
            except OSError:
                data = b""
            if not data or len(rest) > MAX_LINE_BYTES:
                break
            *lines, rest = (rest + data).split(b"\n")
            self._found.extend(line for line in lines if line.strip())
            self._wake.send()
        self._ended = True
        self._wake.send()
        monkey.get_original("time", "sleep")(self._grace_s)
        os._exit(ExitCode.COULD_NOT_RUN)

    def _deliver(self) -> None:
        while self._delivered < min(len(self._found), len(self._lines)):
            if not self._lines[self._delivered].ready():
                self._lines[self._delivered].set(self._found[self._delivered])
            self._delivered += 1
        for line in self._found[len(self._lines) + self._later :]:
            self._later += 1
            self._on_later(line)
        if self._ended:
            self.call_off()
            self._wake.stop()
            self._on_end()
