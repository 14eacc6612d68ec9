"""Acting on the embedded stack: instances are local processes, the operators' files lie in the stack's own directory."""

import signal
import time
from collections.abc import Sequence

from harness.errors import StackError
from harness.model.target import Dependency
from harness.target.embedded import programs
from harness.target.embedded.rollout import EmbeddedRollout
from harness.target.embedded.site import Site
from harness.target.operating.programs import OperatorPrograms
from harness.target.operating.releasing import PROGRAM
from harness.target.supervise.procfs import Identity, send


class EmbeddedHands:
    """`Hands` of local processes."""

    stack = "the embedded stack"

    def __init__(self, site: Site, rollout: EmbeddedRollout, operators: OperatorPrograms, store: Dependency) -> None:
        self._site = site
        self._operators = operators
        self.rollout = rollout
        self.store = store

    @property
    def balancer(self) -> str:
        """The directory of the file that deals the requests."""
        return str(self.rollout.traffic)

    def run_rollout(self, arguments: Sequence[str], within_s: float) -> tuple[int, str] | None:
        """Run the operators' program here."""
        done = self._operators.ended(PROGRAM, *arguments, within_s=within_s)
        return None if done is None else (done.returncode, done.stderr)

    def runs(self, name: str) -> bool:
        """Return whether its process lives."""
        return name in self._site.handles() and name not in self._site.supervisor.exits()

    def end(self, name: str, within_s: float) -> int | None:
        """Send SIGTERM, by its identity and not by its number alone."""
        handle = self._site.handles()[name]
        if not send(Identity(pid=handle.pid, start_ticks=handle.start_ticks), signal.SIGTERM):
            raise StackError(f"{name} could not be told to end")
        deadline = time.monotonic() + within_s
        while (code := self._site.supervisor.exits().get(name)) is None and time.monotonic() < deadline:
            self._site.supervisor.wait_for_news(within_s=0.05)
        return code

    def start_again(self, name: str) -> None:
        """Start it in its old place."""
        self._site.start_again(name)

    def change_features(self, *what: str) -> None:
        """Change the one file that all read."""
        self._operators.run("reference_service.operations.features", "--file", str(programs.flags_file(self._site)), *what)
