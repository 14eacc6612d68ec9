"""Where operators' programs run on this machine, for a stack that runs elsewhere."""

import threading
from pathlib import Path

from harness.errors import StackError
from harness.target.supervise.supervisor import Supervisor


class Workshop:
    """A directory of this machine for what operators run here: made with the first program, gone with the stack, or with us."""

    def __init__(self, logs: Path, *, stack: str) -> None:
        """Make nothing yet. stack: what it is called in a sentence."""
        self._logs = logs
        self._stack = stack
        self._lock = threading.Lock()
        self._keeper: Supervisor | None = None
        self._closed = False

    def directory(self) -> Path:
        """Return it. Raises StackError or StorageError."""
        with self._lock:
            if self._closed:
                raise StackError(f"{self._stack} is ending: nothing is run for its operators any more")
            if self._keeper is None:
                self._keeper = Supervisor(logs=self._logs)
            return self._keeper.directory

    def close(self) -> None:
        """Remove it with all that is in it. May be called twice."""
        with self._lock:
            self._closed = True
            if self._keeper is not None:
                self._keeper.stop()
