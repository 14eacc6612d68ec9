"""What is up during a run, and must be taken down."""

import contextlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from harness.errors import HarnessError
from harness.faults import FaultInjector, Guardian
from harness.model.journal import Event
from harness.model.plan import Clock
from harness.model.target import RunningTarget
from harness.run.lanes import Lanes
from harness.run.load_process import Load
from harness.rundir import RunDirectory

if TYPE_CHECKING:
    from harness.run.attending import Attendant
    from harness.run.hand import Hand
    from harness.run.probing import Probing
    from harness.run.scraping import Scraper


class View(Protocol):
    """Something that shows a run to people while it is going."""

    def refresh(self) -> None:
        """Show what is new; never raises."""

    def close(self) -> None:
        """Give the terminal back; never raises."""


class Halt:
    """An order to end the run, from any thread."""

    def __init__(self) -> None:
        self._given = threading.Event()
        self._reason = ""

    def order(self, reason: str) -> None:
        """End the run; the first reason counts."""
        if not self._given.is_set():
            self._reason = reason
            self._given.set()

    @property
    def reason(self) -> str | None:
        """Why the run is to end, or None."""
        return self._reason if self._given.is_set() else None


@dataclass(slots=True, kw_only=True)
class Live:
    """What is up.

    lanes: where faults are worked on; probing: what checks send and do; halt: set by a hand from outside; attendant: whom
    a drill asks.
    """

    target: RunningTarget | None = None
    load: Load | None = None
    injector: FaultInjector | None = None
    guardian: Guardian | None = None
    hand: "Hand | None" = None
    probing: "Probing | None" = None
    scraper: "Scraper | None" = None
    view: View | None = None
    attendant: "Attendant | None" = None
    clock: Clock | None = None
    lanes: Lanes = field(default_factory=Lanes)
    halt: Halt = field(default_factory=Halt)
    complete: bool = False


def journal(run: RunDirectory, event: Event, subject: str, /, **data: str | float | bool | None) -> None:
    """Append to the journal, as the rooms that know no run directory do."""
    run.record(event, subject, **data)  # type: ignore[arg-type]  # a fault's data never holds at_ns


def record_anyway(run: RunDirectory, event: Event, reason: str | None = None) -> None:
    """Journal while taking down: a full disk must not keep anything alive."""
    with contextlib.suppress(HarnessError):
        run.record(event) if reason is None else run.record(event, reason=reason)
