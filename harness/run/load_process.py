"""The load workers as child processes: started, told to go, watched, and stopped for certain."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from harness.errors import LoadError
from harness.model.assignment import Assignment, Go
from harness.rundir import codec

READY_WITHIN_S = 30.0


class LoadProcess:
    """One load worker. Its standard input carries the assignment and, by closing, the order to stop."""

    def __init__(self, assignment: Assignment, log: Path) -> None:
        """Start the worker and hand it its assignment. Raises LoadError."""
        self._log = log
        self._messages: queue.Queue[dict[str, object] | None] = queue.Queue()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
        with log.open("wb") as log_file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "harness.load"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log_file,
                start_new_session=True,  # a terminal's Ctrl-C is for the conductor, which stops the worker in order
                env=environment,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()
        self._send(codec.to_json(assignment))

    def wait_ready(self) -> None:
        """Wait until the worker holds its schedule and warm connections. Raises LoadError."""
        deadline = time.monotonic() + READY_WITHIN_S
        while True:
            try:
                message = self._messages.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise LoadError(f"the load worker was not ready within {READY_WITHIN_S:.0f} s{self._last_lines()}") from None
            if message is None:
                raise LoadError(f"the load worker died at its start{self._last_lines()}")
            if message.get("event") == "ready":
                return

    def go(self, zero_monotonic_ns: int) -> None:
        """Tell the worker the run's zero."""
        self._send(codec.to_json(Go(zero_monotonic_ns=zero_monotonic_ns)))

    def ended(self) -> bool:
        """Return True once the worker has said that it sent and drained everything. Raises LoadError if it died."""
        while True:
            try:
                message = self._messages.get_nowait()
            except queue.Empty:
                return False
            if message is None:
                raise LoadError(f"the load worker died in the middle of the run{self._last_lines()}")
            if message.get("event") == "ended":
                return True

    def stop(self, within_s: float = 2.0) -> None:
        """End the worker: it closes its samples when its input closes, and is killed if it does not."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(OSError):  # it is gone already
                self._process.stdin.close()
        try:
            self._process.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, line: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise LoadError(f"the load worker does not listen{self._last_lines()}") from error

    def _read(self, stream: IO[bytes]) -> None:
        for line in stream:
            try:
                message = json.loads(line)
            except ValueError:
                continue  # a stray print of a library is no message
            if isinstance(message, dict):
                self._messages.put(message)
        self._messages.put(None)

    def _last_lines(self) -> str:
        try:
            lines = self._log.read_text(errors="replace").splitlines()[-8:]
        except OSError:
            lines = []
        return "".join(f"\n    {line}" for line in lines)
