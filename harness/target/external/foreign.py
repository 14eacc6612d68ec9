"""The user's service as the harness starts it: its command, its environment, and when it is ready."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import StackError
from harness.model.target import ProcessHandle
from harness.target.external.caller import Caller
from harness.target.external.site import ForeignSite

SERVICE = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """How it is started, again too. environment holds secrets."""

    site: ForeignSite = field(repr=False)
    caller: Caller
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    folder: Path
    ready: str
    within_s: float

    def start(self) -> ProcessHandle:
        """Start it and wait until it says that it is ready. Raises StackError with its last words, masked."""
        handle = self.site.spawn_foreign(SERVICE, self.command, self.environment, self.folder)
        self.site.wait(SERVICE, is_ready(self.caller, self.ready), within_s=self.within_s)
        return handle


def is_ready(caller: Caller, path: str) -> Callable[[], bool | None]:
    """Return what asks whether a path is answered with 2xx: True, or None while it is not."""

    def ask() -> bool | None:
        try:
            return True if 200 <= caller.get(path, timeout_s=2.0).status < 300 else None
        except StackError:
            return None

    return ask
