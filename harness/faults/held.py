"""Control's end of a holder process."""

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping

from harness.errors import FaultError

_BEGIN_WITHIN_S = 10.0


class Held:
    """Something of the machine that is taken, until `let_go`. Raises FaultError."""

    def __init__(self, wanted: Mapping[str, object]) -> None:
        """Start the holder and wait until it holds."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.faults.holder"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._write(wanted)
            answer = self._answer()
        except BaseException:
            self.let_go()
            raise
        if "error" in answer:
            self.let_go()
            raise FaultError(str(answer["error"]))
        self.amount = int(str(answer["holding"]))

    @property
    def pid(self) -> int:
        """The holder."""
        return self._process.pid

    def holds(self) -> bool:
        """Return whether it is still there."""
        return self._process.poll() is None

    def renew(self, lease_s: float) -> None:
        """Keep it for so long from now; nothing where it has ended."""
        with contextlib.suppress(FaultError):
            self._write({"lease_s": lease_s})

    def let_go(self) -> None:
        """End it; it is killed where it does not end at once."""
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(2.0)

    def _write(self, message: Mapping[str, object]) -> None:
        assert self._process.stdin is not None
        try:
            os.write(self._process.stdin.fileno(), json.dumps(message).encode() + b"\n")
        except (OSError, ValueError) as error:
            raise FaultError(f"the process that holds it is gone: {error}") from error

    def _answer(self) -> dict[str, object]:
        assert self._process.stdout is not None
        descriptor, read, deadline = self._process.stdout.fileno(), b"", time.monotonic() + _BEGIN_WITHIN_S
        while b"\n" not in read:
            if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise FaultError(f"it was not taken within {_BEGIN_WITHIN_S:.0f} s")
            part = os.read(descriptor, 4096)
            if not part:
                raise FaultError("the process that was to hold it has ended")
            read += part
        answer: dict[str, object] = json.loads(read)
        return answer
