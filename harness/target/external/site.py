"""Where a foreign target is started: its processes see the user's machine, and their words reach the run only masked."""

import os
import signal
from collections.abc import Mapping, Sequence
from io import BufferedReader
from pathlib import Path

from harness.errors import StackError
from harness.model.target import ProcessHandle
from harness.target.embedded.site import Site
from harness.target.supervise.children import Spawn
from harness.target.supervise.logs import Mask
from harness.target.supervise.supervisor import Supervisor

_INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "XDG_RUNTIME_DIR")
_MOST_LOG_BYTES = 16 << 20


class ForeignSite(Site):
    """A stack whose own parts are the harness's, and whose other processes are the user's."""

    def __init__(self, supervisor: Supervisor, *, logs: Path, mask: Mask) -> None:
        super().__init__(supervisor, logs=logs, mask=mask)
        self._foreign: dict[str, BufferedReader] = {}
        self._followed: dict[str, tuple[BufferedReader, int]] = {}
        self._words = self.directory / "words"
        self._words.mkdir(mode=0o700)
        self.scratch = self.directory / "scratch"
        self.scratch.mkdir(mode=0o700)

    def log(self, name: str) -> Path:
        """Return where a process writes: a foreign one below the stack's directory, where nobody keeps it unmasked."""
        return self._words / f"{name}.log" if name in self._foreign else super().log(name)

    def spawn_foreign(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path, *, stdin: str | None = None
    ) -> ProcessHandle:
        """Start a process of the user's. No proxy settings, no variable of ours; secrets in `environment` or `stdin`.

        Raises StackError.
        """
        log = self._words / f"{name}.log"
        if name not in self._foreign:
            log.touch(mode=0o600)
            self._foreign[name] = log.open("rb")  # can be read to its end even when the directory is gone
        identity = self.supervisor.spawn(
            Spawn(
                name=name,
                command=tuple(command),
                environment={**self.inherited(), "TMPDIR": str(self.scratch), **environment},
                directory=str(folder),
                log=str(log),
                stdin=stdin,
                stop_signal=signal.SIGTERM,
            )
        )
        return ProcessHandle(name=name, pid=identity.pid, start_ticks=identity.start_ticks, log=self.logs / f"{name}.log")

    @staticmethod
    def inherited() -> dict[str, str]:
        """Return what of the user's own environment a foreign process sees."""
        return {key: os.environ[key] for key in _INHERITED if key in os.environ}

    def mask_also(self, secrets: Sequence[str]) -> None:
        """Hide more secrets from now on."""
        self.mask = Mask.of([*self.mask.secrets, *secrets])

    def follow(self, name: str, path: Path) -> None:
        """Keep what is written to somebody's log from now on. Raises OSError."""
        file = path.open("rb")  # stays open past a rotation, to the end of the run
        self._followed[name] = (file, file.seek(0, os.SEEK_END))

    def write_words(self) -> None:
        """Write what the foreign processes said to the run's logs, masked. Never raises; may be called twice."""
        said = {name: (file, 0) for name, file in self._foreign.items()} | self._followed
        for name, (file, begins) in said.items():
            try:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(begins if begins <= size else 0, size - _MOST_LOG_BYTES))
                self.keep_words(file.read(), self.logs / f"{name}.log")
            except (OSError, ValueError):  # a full disk must not keep anything alive
                continue

    def keep_words(self, said: bytes, kept: Path) -> None:
        """Write the end of what somebody said to a log of the run, masked. Raises OSError."""
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(self.mask(said[-_MOST_LOG_BYTES:].decode("utf-8", errors="replace")), encoding="utf-8")

    def run_foreign(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path, *, stdin: str, within_s: float
    ) -> bytes:
        """Run a process of the user's to its end; return what it printed. Raises StackError where it fails."""
        self.spawn_foreign(name, command, environment, folder, stdin=stdin)
        code = self.wait(name, lambda: self.supervisor.exits().get(name), within_s=within_s, may_end=True)
        if code != 0:
            raise self._failure(name, f"failed with exit code {code}")
        try:
            return self.log(name).read_bytes()
        except OSError as error:
            raise StackError(f"what {name} printed cannot be read: {error}") from error
