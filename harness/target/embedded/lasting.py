"""What servers say that outlive a run: kept beside the runs, and each run is given what was said in its time.

A run directory is sealed when its run ends. A server that goes on must not write there any more: its words would no longer
be those of the manifest, and the run's evidence would count as changed.
"""

import contextlib
import shutil
from pathlib import Path

from harness.target.embedded.site import Site
from harness.target.supervise.logs import Mask
from harness.target.supervise.supervisor import Supervisor

STACK_LOGS = "stack-logs"
"""The directory, beside those of the runs, in which the servers of a stack write that these runs share."""


class LastingLogs:
    """One file a server, `NAME.log`, in a directory of the stack."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self._given: dict[str, int] = {}

    def give(self, logs: Path) -> None:
        """Append what was said since the last call to the files of the same names in `logs`, if only to show that it was nothing.

        What cannot be written is left out: where the disk is full, the run's samples cannot be kept either, and that is told.
        """
        for path in sorted(self.directory.glob("*.log")):
            given = self._given.get(path.name, 0)
            with contextlib.suppress(OSError), path.open("rb") as said:
                if said.seek(0, 2) == 0:
                    continue
                said.seek(given)
                logs.mkdir(parents=True, exist_ok=True)
                with (logs / path.name).open("ab") as copy:
                    shutil.copyfileobj(said, copy)
                self._given[path.name] = said.tell()


class LastingSite(Site):
    """A site whose servers outlive a run: they write in the stack's directory, what is started for a run in the run's."""

    def __init__(self, supervisor: Supervisor, *, lasting: Path, anew: frozenset[str], logs: Path, mask: Mask) -> None:
        """Build nothing yet. anew: the names of what is started for each run."""
        super().__init__(supervisor, logs=logs, mask=mask)
        logs.mkdir(parents=True, exist_ok=True)
        self._lasting = lasting
        self._anew = anew

    def log(self, name: str) -> Path:
        """Return where a process writes."""
        return super().log(name) if name in self._anew else self._lasting / f"{name}.log"
