"""The journal of one operation on one fault."""

from typing import Protocol

from harness.errors import HarnessError
from harness.model.fault import Fault
from harness.model.journal import Event


class Recorder(Protocol):
    """Writes the journal; `RunDirectory.record` is one."""

    def __call__(self, event: Event, subject: str, /, **data: str | float | bool | None) -> object:
        """Append an entry, on disk before this returns."""


class Steps:
    """Notes the steps of one operation. rehearsal: marks every entry, so that none is taken for the run itself."""

    def __init__(self, record: Recorder, fault: Fault, *, rehearsal: bool) -> None:
        self._record = record
        self._fault = fault
        self._mark: dict[str, bool] = {"rehearsal": True} if rehearsal else {}
        self._lost: HarnessError | None = None

    def note(self, event: Event, **data: str | float | bool | None) -> None:
        """Write an entry; raises what the recorder raises."""
        self._record(event, self._fault.id, **data, **self._mark)

    def note_anyway(self, event: Event, **data: str | float | bool | None) -> None:
        """Write an entry if it can be written: a full disk must not keep a fault in force. See `raise_lost`."""
        try:
            self.note(event, **data)
        except HarnessError as error:
            self._lost = self._lost or error

    def raise_lost(self) -> None:
        """Raise the first error of `note_anyway`, now that the fault itself is dealt with."""
        if self._lost is not None:
            raise self._lost
