"""Resource faults: a process is kept short of something, or the machine is, by a process of our own."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import FaultError
from harness.faults import limits
from harness.faults.guardian.undo import LimitStep, ResumeStep, UndoStep
from harness.faults.held import Held
from harness.faults.holder import may_not_fill
from harness.faults.log_tail import LogTail
from harness.faults.procfs import Bound, below, is_stopped, lives, refusal
from harness.faults.starving import Starving
from harness.model.fault import Acted, ActedBy, Fault
from harness.model.fault_kinds import FAULT_KINDS, complete

_ON_THE_MACHINE = {"cpu_burn": "cpu", "memory_fill": "memory", "disk_full": "disk"}
_SEEN_WITHIN_S = 1.0
_SLACK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A process of the target as it is now. log: where it writes, None where that cannot be read."""

    process: Bound
    log: Path | None = None


@dataclass(slots=True, kw_only=True)
class _Hold:
    """What a fault holds. step: its limit before."""

    process: Bound | None = None
    starving: Starving | None = None
    step: LimitStep | None = None
    lowered: int | None = None
    log: LogTail | None = None
    held: Held | None = None
    disk: Path | None = None


class ResourceBackend:
    """Faults on what processes and the machine need. See `Backend`.

    locate: the process of a place, as it is now. disks: file systems that may be filled, by their place.
    """

    def __init__(self, locate: Callable[[Fault], Located] | None = None, disks: Mapping[str, Path] | None = None) -> None:
        self._locate = locate
        self._disks = dict(disks or {})
        self._holds: dict[str, _Hold] = {}
        self._lease_s = 10.0

    def undo_steps(self, fault: Fault) -> tuple[UndoStep, ...]:
        """Return what lets the process go on; what is held by a process of ours needs none: it has a lease itself."""
        if fault.kind in _ON_THE_MACHINE:
            return ()
        process = self._aim(fault).process
        if fault.kind == "starve":
            return tuple(ResumeStep(pid=part.pid, start_ticks=part.start_ticks) for part in (process, *below(process)))
        return (_step(fault, process),)

    def apply(self, fault: Fault) -> None:
        """Take it."""
        values = complete(FAULT_KINDS[fault.kind], fault.parameters)
        hold = self._holds[fault.id] = _Hold()
        if fault.kind in _ON_THE_MACHINE:
            self._take(fault, hold, {name: int(value) for name, value in values.items()})
            return
        aim = self._aim(fault)
        hold.process = aim.process
        if fault.kind == "starve":
            hold.starving = Starving(
                lambda: [aim.process, *below(aim.process)],
                share=float(values["share"]),
                period_s=float(values["period"]) / 1000,
            )
            hold.starving.begin()
        else:
            hold.step = _step(fault, aim.process)
            hold.log = LogTail(aim.log, limits.SIGNS[fault.kind])
            hold.lowered = limits.lower(fault.kind, aim.process, int(values["spare"]))

    def confirm(self, fault: Fault) -> None:
        """See the process stopped, its limit lowered, the machine's resource gone."""
        if not _within(_SEEN_WITHIN_S, lambda: self._shows(fault)):
            raise FaultError(f"{fault.id}: {fault.at} does not show {fault.kind}")

    def in_force(self, fault: Fault) -> bool:
        """Return whether it still is."""
        hold = self._holds[fault.id]
        if hold.starving is not None:
            return hold.starving.goes_on()
        return self._shows(fault)

    def clear(self, fault: Fault) -> None:
        """Give it back."""
        hold = self._holds.get(fault.id)
        if hold is None:
            return
        if hold.starving is not None:
            hold.starving.stop()
        if hold.step is not None and (by_hand := limits.restore(hold.step)) is not None:
            raise FaultError(f"{fault.id}: the limit of {fault.at} could not be restored", advice=f"by hand: {by_hand}")
        if hold.held is not None:
            hold.held.let_go()

    def prove_clear(self, fault: Fault) -> None:
        """See that it is back."""
        hold = self._holds.get(fault.id)
        if hold is None:
            return
        process = hold.process
        if hold.starving is not None and process is not None and not _within(_SEEN_WITHIN_S, lambda: not is_stopped(process)):
            raise FaultError(f"{fault.id}: {fault.at} still stands still", advice=f"by hand: kill -CONT {process.pid}")
        if hold.step is not None and process is not None and lives(process):
            soft, _ = limits.present(fault.kind, process)
            if soft != hold.step.soft:
                raise FaultError(f"{fault.id}: {fault.at} still has a limit of {soft}, not {hold.step.soft}")
        if hold.held is not None and hold.held.holds():
            raise FaultError(f"{fault.id}: it is still held", advice=f"by hand: kill -9 {hold.held.pid}")

    def acted(self, fault: Fault) -> Acted | None:
        """Return how often the process was stopped, said that it met its limit, or how many processors were burnt.

        None where there is no log to tell, and for memory and disks: who went without leaves no trace in one place.
        """
        hold = self._holds.pop(fault.id, None)
        if hold is None:
            return None
        if hold.starving is not None:
            return Acted(by=ActedBy.TARGET, count=hold.starving.stops)
        if hold.held is not None and fault.kind == "cpu_burn":
            return Acted(by=ActedBy.TARGET, count=hold.held.amount)
        return Acted(by=ActedBy.TARGET, count=None if hold.log is None else hold.log.count())

    def renew(self, lease_s: float) -> None:
        """Renew the lease of every process that holds something."""
        self._lease_s = lease_s
        for hold in list(self._holds.values()):
            if hold.held is not None:
                hold.held.renew(lease_s)

    def release(self) -> None:
        """Nothing: leases end with their processes."""

    def _aim(self, fault: Fault) -> Located:
        if self._locate is None:
            raise FaultError(f"{fault.id}: the running target has no process that could be kept short")
        aim = self._locate(fault)
        if why := refusal(aim.process):
            raise FaultError(f"{fault.id}: {fault.at} is not touched: {why}")
        return aim

    def _take(self, fault: Fault, hold: _Hold, values: dict[str, int]) -> None:
        wanted: dict[str, object] = {"take": _ON_THE_MACHINE[fault.kind], "lease_s": self._lease_s, **values}
        if fault.kind == "disk_full":
            hold.disk = self._disks.get(fault.at)
            if hold.disk is None:
                raise FaultError(f"{fault.id}: the running target has no {fault.at}; it has {', '.join(self._disks) or 'none'}")
            if why := may_not_fill(hold.disk):
                raise FaultError(f"{fault.id}: {fault.at} is not filled: {why}")
            wanted["directory"] = str(hold.disk)
        try:
            hold.held = Held(wanted)
        except FaultError as error:
            raise FaultError(f"{fault.id}: {fault.kind} at {fault.at}: {error.message}") from error

    def _shows(self, fault: Fault) -> bool:
        hold = self._holds[fault.id]
        if hold.starving is not None and hold.process is not None:
            return is_stopped(hold.process) or hold.starving.stops > 1
        if hold.lowered is not None and hold.process is not None:
            return limits.present(fault.kind, hold.process)[0] == hold.lowered
        if hold.held is None or not hold.held.holds():
            return False
        if hold.disk is not None:
            stat = os.statvfs(hold.disk)
            leave = int(complete(FAULT_KINDS[fault.kind], fault.parameters)["leave"]) << 20
            return stat.f_bavail * stat.f_frsize <= leave + _SLACK_BYTES
        return True


def _step(fault: Fault, process: Bound) -> LimitStep:
    soft, hard = limits.present(fault.kind, process)
    return LimitStep(pid=process.pid, start_ticks=process.start_ticks, kind=fault.kind, soft=soft, hard=hard)


def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True
