"""Clock faults: a process is told another time by its file, a database by a `now()` of its own."""

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx

from harness.errors import FaultError
from harness.faults.database_clock import DatabaseClock
from harness.faults.engine import Engine, EngineError
from harness.faults.guardian.undo import ContainerStep, FileStep, UndoStep
from harness.faults.whole_file import write_whole
from harness.model.fault import Acted, Fault
from harness.model.fault_kinds import FAULT_KINDS, complete
from harness.model.target import Clock

UNMOVED = "+0\n"
_SEEN_WITHIN_S = 3.0
_OFF_BY_S = 1.6
"""`Date` tells whole seconds, and an answer takes its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hold:
    clock: Clock
    offset_s: int


class ClockBackend:
    """Faults on the wall clocks of a target. See `Backend`."""

    def __init__(self, clocks: Mapping[str, Clock]) -> None:
        self._clocks = dict(clocks)
        self._databases = {at: DatabaseClock(part.database) for at, part in clocks.items() if part.database is not None}
        self._http = httpx.Client(timeout=1.0, trust_env=False)
        self._holds: dict[str, _Hold] = {}

    def undo_steps(self, fault: Fault) -> tuple[UndoStep, ...]:
        """Return what brings the true time back."""
        clock = self._clock(fault)
        if clock.database is not None:
            return self._databases[fault.at].undo_steps(fault.id)
        assert clock.file is not None
        if (inside := clock.container) is not None:
            body = {"Path": str(clock.file), "Text": UNMOVED}
            return (ContainerStep(engine=inside.engine, container_id=inside.container_id, do="write", body=body),)
        return (FileStep(path=str(clock.file), text=UNMOVED),)

    def apply(self, fault: Fault) -> None:
        """Move it. Raises FaultError where it is wrong, or cannot be seen, before any fault."""
        clock = self._clock(fault)
        if not self._shows(fault, clock, 0):
            raise FaultError(f"{fault.id}: {fault.at} does not tell the true time before any fault is applied")
        offset_s = int(complete(FAULT_KINDS[fault.kind], fault.parameters)["offset"])
        self._holds[fault.id] = _Hold(clock=clock, offset_s=offset_s)
        if clock.database is not None:
            self._databases[fault.at].move(offset_s)
        else:
            _tell(fault, clock, f"{offset_s:+d}\n")

    def confirm(self, fault: Fault) -> None:
        """See it tell the wrong time: in the date of an answer, in a query of our own."""
        hold = self._holds[fault.id]
        if not self._shows_soon(fault, hold.clock, hold.offset_s):
            raise FaultError(
                f"{fault.id}: {fault.at} does not tell a time {hold.offset_s:+d} s from the true one",
                advice="does the process read its clock through the file, and do its answers carry a Date?",
            )

    def in_force(self, fault: Fault) -> bool:
        """Return whether it still tells the wrong time."""
        hold = self._holds[fault.id]
        return self._shows(fault, hold.clock, hold.offset_s)

    def clear(self, fault: Fault) -> None:
        """Bring the true time back; nothing where it was never moved."""
        if (hold := self._holds.get(fault.id)) is None:
            return
        if hold.clock.database is not None:
            self._databases[fault.at].move_back()
        else:
            _tell(fault, hold.clock, UNMOVED)

    def prove_clear(self, fault: Fault) -> None:
        """See it tell the true time."""
        hold = self._holds.get(fault.id)
        if hold is not None and not self._shows_soon(fault, hold.clock, 0):
            raise FaultError(f"{fault.id}: {fault.at} still tells a wrong time", advice=f"by hand: {_by_hand(hold.clock)}")

    def acted(self, fault: Fault) -> Acted | None:
        """Return None: who looked at a clock, nobody can tell."""
        self._holds.pop(fault.id, None)
        return None

    def renew(self, lease_s: float) -> None:
        """Nothing: the guardian keeps the lease."""

    def release(self) -> None:
        """Nothing: the guardian keeps the lease."""

    def _clock(self, fault: Fault) -> Clock:
        try:
            return self._clocks[fault.at]
        except KeyError:
            there = ", ".join(sorted(self._clocks)) or "none"
            raise FaultError(f"{fault.id}: the running target has no {fault.at}; it has {there}") from None

    def _shows_soon(self, fault: Fault, clock: Clock, offset_s: int) -> bool:
        deadline = time.monotonic() + _SEEN_WITHIN_S
        while not self._shows(fault, clock, offset_s):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _shows(self, fault: Fault, clock: Clock, offset_s: int) -> bool:
        """Return whether the clock is so many seconds from ours."""
        if clock.database is not None:
            return abs(self._databases[fault.at].offset_s() - offset_s) < 1
        assert clock.seen_at is not None
        try:
            with self._http.stream("GET", clock.seen_at) as response:  # whatever it answers, its date is told
                told = response.headers.get("date")
        except httpx.HTTPError as error:
            raise FaultError(f"{fault.id}: {clock.seen_at} does not answer: {error or type(error).__name__}") from error
        if told is None:
            raise FaultError(f"{fault.id}: answers of {clock.seen_at} carry no Date: nobody could see what its clock says")
        with contextlib.suppress(ValueError):
            return abs(parsedate_to_datetime(told).timestamp() + 0.5 - time.time() - offset_s) <= _OFF_BY_S
        raise FaultError(f"{fault.id}: {clock.seen_at} says Date: {told[:60]!r}, which is no date")


def _tell(fault: Fault, clock: Clock, text: str) -> None:
    assert clock.file is not None
    try:
        if clock.container is None:
            write_whole(clock.file, text)
        else:
            Engine(clock.container.engine).put_file(clock.container.container_id, clock.file, text)
    except (OSError, EngineError) as error:
        why = error.message if isinstance(error, EngineError) else error.strerror
        raise FaultError(f"{fault.id}: {clock.file} cannot be written: {why}", advice=f"by hand: {_by_hand(clock)}") from error


def _by_hand(clock: Clock) -> str:
    """Return what a person does to bring the true time back."""
    if clock.database is not None:
        return "ALTER SYSTEM RESET search_path"
    inside = "" if clock.container is None else f" in container {clock.container.name}"
    return f"write {UNMOVED.strip()} to {clock.file}{inside}"
