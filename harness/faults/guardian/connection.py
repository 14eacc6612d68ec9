"""Control's end of the pipe to the guardian."""

import contextlib
import json
import os
import secrets
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

from harness.errors import FaultError
from harness.faults.guardian.leftovers import UNDO_PREFIX
from harness.faults.guardian.undo import UndoStep, socket_beside, steps_to_json

_ANSWER_WITHIN_S = 2.0
_READY_WITHIN_S = 15.0


class Guardian:
    """A guardian process of our own. For use from several threads; raises FaultError.

    Once it has missed an answer it is not spoken to again: its pipe is closed, so that it heals what it holds.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", undo_list: Path, *, lease_s: float) -> None:
        self.undo_list = undo_list
        self._process = process
        self._lease_s = lease_s
        self._lock = threading.Lock()
        self._read = b""
        self._lost: str | None = None

    @classmethod
    def start(cls, directory: Path, *, lease_s: float = 10.0) -> "Guardian":
        """Start a guardian whose undo list stands in `directory`, and wait until it holds.

        lease_s: from each `hold`, until `renew` says otherwise.
        """
        undo_list = directory / f"{UNDO_PREFIX}{os.getpid()}-{secrets.token_hex(4)}.json"
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            process = subprocess.Popen(
                [sys.executable, "-m", "harness.faults.guardian", "--undo-list", str(undo_list)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # an interrupt of the terminal must not reach it
            )
        except OSError as error:
            raise FaultError(
                f"the guardian of faults cannot be started: {error}", advice=f"is {directory} a place to write to?"
            ) from error
        guardian = cls(process, undo_list, lease_s=lease_s)
        with guardian._lock:
            guardian._answer(_READY_WITHIN_S)
        return guardian

    @property
    def socket_path(self) -> Path:
        """Where control may listen for people's orders; whatever is there goes when the guardian ends."""
        return socket_beside(self.undo_list)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def hold(self, fault_id: str, steps: tuple[UndoStep, ...]) -> None:
        """Have the undo steps of a fault on disk before this returns."""
        self._ask({"hold": fault_id, "steps": steps_to_json(steps), "lease_s": self._lease_s})

    def release(self, fault_id: str) -> None:
        """Have a fault forgotten that was proved clear."""
        self._ask({"release": fault_id})

    def renew(self, lease_s: float) -> None:
        """Keep the guardian from healing for so long from now."""
        self._ask({"renew": lease_s})

    def stop(self, *, within_s: float = 5.0) -> list[FaultError]:
        """Close the pipe and wait for the end; whatever it still holds it heals first. May be called twice.

        Returns what went wrong: a guardian that still heals after `within_s` is left to it, never killed.
        """
        with self._lock:
            self._hang_up("it was stopped")
        try:
            code = self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return [
                FaultError("the guardian of faults still heals", advice=f"when it has ended: harness clean ({self.undo_list})")
            ]
        if code == 0 or not self.undo_list.exists():
            return []
        return [
            FaultError("the guardian of faults left something unhealed", advice=f"run harness clean; its list: {self.undo_list}")
        ]

    def _ask(self, message: dict[str, object]) -> None:
        with self._lock:
            if self._lost is not None:
                raise FaultError(f"the guardian of faults is gone: {self._lost}")
            assert self._process.stdin is not None
            try:
                os.write(self._process.stdin.fileno(), json.dumps(message).encode() + b"\n")
            except OSError as error:
                self._hang_up(str(error.strerror))
                raise FaultError(f"the guardian of faults is gone: {error.strerror}") from error
            self._answer(_ANSWER_WITHIN_S)

    def _answer(self, within_s: float) -> None:
        """Read one line of answer. Raises FaultError on a missing one or a refusal."""
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        deadline = time.monotonic() + within_s
        while b"\n" not in self._read:
            if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
                self._hang_up(f"it did not answer within {within_s:.0f} s")
                raise FaultError(f"the guardian of faults did not answer within {within_s:.0f} s")
            read = os.read(descriptor, 65536)
            if not read:
                self._hang_up("it has ended")
                raise FaultError("the guardian of faults has ended", advice=f"can {self.undo_list.parent} be written to?")
            self._read += read
        line, _, self._read = self._read.partition(b"\n")
        if "error" in (answer := json.loads(line)):
            raise FaultError(f"the guardian of faults cannot keep its list {self.undo_list}: {answer['error']}")

    def _hang_up(self, why: str) -> None:
        self._lost = self._lost or why
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
