"""Processes that the description names: bound once, by pid, start time and owner, before a fault may touch them."""

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.errors import ConfigurationError, StackError
from harness.faults.procfs import bound, lives, refusal
from harness.model.target import ProcessHandle
from harness.target.description.document import ProcessDocument

_COMMAND_WITHIN_S = 15.0
_AGAIN_WITHIN_S = 30.0
_POLL_S = 0.05


class NamedProcess:
    """One process of `processes`: where its pid is told, and how it is started again."""

    def __init__(self, name: str, document: ProcessDocument, folder: Path, fill: Callable[[str], str]) -> None:
        self.name = name
        self._document = document
        self._folder = folder
        self._fill = fill

    def bind(self) -> ProcessHandle:
        """Return a handle on the process that has the pid now. Raises ConfigurationError where it must not be touched."""
        where = f"processes.{self.name}"
        pid = self._pid()
        process = bound(pid)
        if process is None:
            raise ConfigurationError(f"{where}: no process has the pid {pid}", advice="is it running?")
        if (why := refusal(process)) is not None:
            raise ConfigurationError(f"{where}: pid {pid} is not touched: {why}")
        return ProcessHandle(name=self.name, pid=process.pid, start_ticks=process.start_ticks)

    def start_again(self, ended: ProcessHandle) -> ProcessHandle:
        """Run the start command and return a handle on the new process. Raises StackError."""
        start = self._document.start
        if start is None and self._document.unit is not None:
            start = ["systemctl", "start", self._document.unit]
        if start is None:
            raise StackError(f"processes.{self.name} has no `start`: nothing can start it again")
        # Not a child of the keeper: what was the user's before the run stays when the run is over.
        self._run(start)
        deadline = time.monotonic() + _AGAIN_WITHIN_S
        while time.monotonic() < deadline:
            try:
                handle = self.bind()
            except ConfigurationError:
                time.sleep(_POLL_S)
                continue
            if (handle.pid, handle.start_ticks) != (ended.pid, ended.start_ticks):
                return handle
            time.sleep(_POLL_S)
        raise StackError(f"processes.{self.name} was started again, but no new process showed within {_AGAIN_WITHIN_S:.0f} s")

    def _pid(self) -> int:
        where = f"processes.{self.name}"
        if self._document.pid_file is not None:
            path = (self._folder / self._fill(self._document.pid_file)).expanduser()
            try:
                text = path.read_text(encoding="utf-8").split("\n", 1)[0].strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigurationError(f"{where}: {path} cannot be read: {type(error).__name__}") from None
            said = str(path)
        elif self._document.unit is not None:
            unit = self._document.unit
            text, said = self._run(("systemctl", "show", "--property=MainPID", "--value", unit)).strip(), f"unit {unit}"
            if text == "0":
                raise ConfigurationError(
                    f"{where}: {said} runs no process", advice=f"is it started? see: systemctl status {unit}"
                )
        else:
            text, said = self._run(self._document.command or ()).strip(), "its command"
        if not text.isascii() or not text.isdigit():
            raise ConfigurationError(f"{where}: {said} holds {text[:40]!r} where a pid should be")
        return int(text)

    def _run(self, command: Sequence[str]) -> str:
        filled = [self._fill(part) for part in command]
        try:
            done = subprocess.run(
                filled,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_COMMAND_WITHIN_S,
                start_new_session=True,
                check=True,
                text=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise StackError(f"processes.{self.name}: {filled[0]} failed: {type(error).__name__}") from None
        return done.stdout


def has_ended(handle: ProcessHandle) -> bool:
    """Return whether that very process is gone."""
    found = bound(handle.pid)
    return found is None or found.start_ticks != handle.start_ticks or not lives(found)
