"""What became of each planned fault, as the journal tells it, and which requests it could touch."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from harness.model.fault import Acted, ActedBy, FaultRecord
from harness.model.journal import Event, JournalEntry
from harness.model.plan import Plan
from harness.rundir import RunDirectory

_ROWS_AT_ONCE = 1 << 20


def fault_records(run: RunDirectory) -> tuple[FaultRecord, ...]:
    """Return one record for every fault of the plan, in its order. Rehearsals do not count. Raises RunDirectoryError."""
    return records_of(run.read_plan(), run.journal())


def records_of(plan: Plan, journal: Iterable[JournalEntry]) -> tuple[FaultRecord, ...]:
    """Return one record for every fault of the plan: the first moment of each step, the last count of its actions."""
    entries = [entry for entry in journal if entry.data.get("rehearsal") is not True]

    def first(event: Event, fault_id: str) -> int | None:
        return next((e.t_ns for e in entries if e.event is event and e.subject == fault_id and e.t_ns is not None), None)

    return tuple(
        FaultRecord(
            id=fault.id,
            kind=fault.kind,
            at=fault.at,
            phase=fault.phase,
            requested_ns=first(Event.FAULT_REQUESTED, fault.id),
            confirmed_ns=first(Event.FAULT_CONFIRMED, fault.id),
            cleared_ns=first(Event.FAULT_CLEARED, fault.id),
            proved_clear_ns=first(Event.FAULT_PROVED_CLEAR, fault.id),
            acted=_acted([e for e in entries if e.event is Event.FAULT_ACTED and e.subject == fault.id]),
            expects_action=fault.expects_action,
        )
        for fault in plan.faults
    )


def exposure(
    faults: Sequence[FaultRecord],
    intended_ns: npt.NDArray[np.int64],
    started_ns: npt.NDArray[np.float64],
    ended_ns: npt.NDArray[np.float64],
) -> dict[str, npt.NDArray[np.bool_]]:
    """Return for each fault that was requested which requests overlapped [requested, proved clear], both ends included.

    A request lasts [started, ended], from its intended moment where it never started; one that started and never
    ended lasts for ever, and so does a fault that was never proved clear.
    started_ns, ended_ns: NaN where it did not happen.
    """
    fired = [fault for fault in faults if fault.requested_ns is not None]
    exposed = {fault.id: np.zeros(intended_ns.size, dtype=np.bool_) for fault in fired}
    for low in range(0, intended_ns.size if fired else 0, _ROWS_AT_ONCE):
        rows = slice(low, low + _ROWS_AT_ONCE)
        started, ended = started_ns[rows], ended_ns[rows]
        begin = np.where(np.isnan(started), intended_ns[rows], started)
        never_ended = np.where(np.isnan(started), begin, np.inf)
        end = np.where(np.isnan(ended), never_ended, ended)
        for fault in fired:
            clear = math.inf if fault.proved_clear_ns is None else fault.proved_clear_ns
            exposed[fault.id][rows] = (end >= fault.requested_ns) & (begin <= clear)
    return exposed


def _acted(entries: Sequence[JournalEntry]) -> Acted | None:
    if not entries:
        return None
    data = entries[-1].data
    by, count = data.get("by"), data.get("count")
    if not isinstance(by, str) or by not in list(ActedBy) or not isinstance(count, int | float | None):
        return None  # an action that nobody vouches for is no proof
    return Acted(by=ActedBy(by), count=None if count is None else int(count))
