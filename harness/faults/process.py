"""Process faults: signals to the processes of a target, each bound so that no other is ever hit."""

import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from harness.errors import FaultError, HarnessError
from harness.faults.crash_loop import CrashLoop
from harness.faults.guardian.undo import ResumeStep, UndoStep
from harness.faults.procfs import Bound, below, bound, executable, is_stopped, lives, refusal, send
from harness.faults.resource import Located
from harness.model.fault import Acted, ActedBy, Fault
from harness.model.fault_kinds import FAULT_KINDS, complete
from harness.model.target import ProcessHandle

_START_WITHIN_S = 30.0
_SETTLE_S = 0.4
"""A signal takes effect within microseconds; a loaded machine is given more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hit:
    """What a fault touched: its process and those below that it took along."""

    root: Bound
    others: tuple[Bound, ...]

    @property
    def all(self) -> tuple[Bound, ...]:
        return (self.root, *self.others)


class ProcessBackend:
    """Faults on the processes of a target. See `Backend`.

    start_again: starts an ended process and returns its handle; without it nothing is ended, only frozen.
    process_now: gives the present handle of one that the target may have ended and started again by itself.
    """

    def __init__(
        self,
        processes: Mapping[str, ProcessHandle],
        start_again: Callable[[str], ProcessHandle] | None = None,
        process_now: Callable[[str], ProcessHandle] | None = None,
    ) -> None:
        self._names = {name.removeprefix("processes."): name for name in processes}
        self._bound = {name: Bound(pid=part.pid, start_ticks=part.start_ticks) for name, part in processes.items()}
        # Read now, while it is surely the process that the target started.
        self._executables = {name: executable(process) for name, process in self._bound.items()}
        self._start_again = start_again
        self._process_now = process_now
        self._hits: dict[str, _Hit] = {}
        self._logs = {name: part.log for name, part in processes.items()}
        self._loops: dict[str, CrashLoop] = {}

    def locate(self, fault: Fault) -> Located:
        """Return the process of a place as it is now, after all restarts. Raises FaultError where it is dead."""
        name = self._name(fault)
        return Located(process=self._living(fault, name), log=self._logs[name])

    def cycle(self, fault: Fault, name: str, *, within_s: float) -> None:
        """Tell a process to end, see it gone, and start it again. Raises FaultError."""
        aimed = replace(fault, at=f"processes.{name}", kind="terminate", parameters={"within": round(within_s * 1000)})
        if self._start_again is None:
            raise FaultError(f"{fault.id}: {name} is not ended: this target cannot start it again")
        hit = self._aim(aimed)
        send(hit.root, signal.SIGTERM)
        self._wait_gone(aimed, hit)
        self._start(aimed)

    def undo_steps(self, fault: Fault) -> tuple[UndoStep, ...]:
        """Return what thaws the processes; a process that was ended can only be started by the target itself."""
        if fault.kind != "freeze":
            return ()
        return tuple(ResumeStep(pid=part.pid, start_ticks=part.start_ticks) for part in self._aim(fault).all)

    def apply(self, fault: Fault) -> None:
        """Send the signal. Nothing is ended that could not be started again."""
        if fault.kind != "freeze" and self._start_again is None:
            raise FaultError(
                f"{fault.id}: {fault.at} is not ended: this target cannot start it again", advice="use freeze, or another target"
            )
        hit = self._hits[fault.id] = self._aim(fault)
        match fault.kind:
            case "crash_loop":
                self._crash(fault)
            case "freeze":
                self._freeze(fault, hit)
            case "kill":
                for part in hit.all:
                    _send_if_there(part, signal.SIGKILL, must=part == hit.root)
            case "terminate" | "restart":
                send(hit.root, signal.SIGTERM)
        if fault.kind == "restart":
            self._wait_gone(fault, hit)
            self._start(fault)

    def confirm(self, fault: Fault) -> None:
        """See the processes stand still, or gone."""
        hit = self._hits[fault.id]
        if fault.kind == "freeze":
            if not _within(_SETTLE_S, lambda: all(is_stopped(part) or not lives(part) for part in hit.all)):
                raise FaultError(f"{fault.id}: {fault.at} still runs after SIGSTOP")
        elif fault.kind != "crash_loop":  # its first death was waited for; it may be up again by now
            self._wait_gone(fault, hit)

    def in_force(self, fault: Fault) -> bool:
        """Return whether it still stands still, or is still gone."""
        hit = self._hits[fault.id]
        if fault.kind == "freeze":
            return is_stopped(hit.root)
        if fault.kind == "crash_loop":
            return self._loops[fault.id].goes_on()
        return fault.kind == "restart" or not lives(self._bound[self._name(fault)])

    def clear(self, fault: Fault) -> None:
        """Thaw the processes, or start the one that was ended; nothing where it lives."""
        hit = self._hits.get(fault.id)
        if hit is None:
            return
        if fault.kind == "freeze":
            for part in (*hit.all, *below(hit.root)):
                _send_if_there(part, signal.SIGCONT, must=False)
            return
        if (loop := self._loops.get(fault.id)) is not None:
            loop.stop(within_s=_START_WITHIN_S)
        if not lives(self._bound[self._name(fault)]):
            self._start(fault)

    def prove_clear(self, fault: Fault) -> None:
        """See it alive and not standing still."""
        hit = self._hits.get(fault.id)
        if hit is None:
            return
        process = self._bound[self._name(fault)]
        if not lives(process):
            raise FaultError(f"{fault.id}: {fault.at} (pid {process.pid}) is gone", advice="by hand: start the target again")
        parts = hit.all if fault.kind == "freeze" else (process,)
        if not _within(_SETTLE_S, lambda: not any(is_stopped(part) for part in parts)):
            still = " ".join(str(part.pid) for part in parts if is_stopped(part))
            raise FaultError(f"{fault.id}: {fault.at} still stands still", advice=f"by hand: kill -CONT {still}")

    def acted(self, fault: Fault) -> Acted | None:
        """Return how many processes were stopped or ended, as `/proc` showed them."""
        hit = self._hits.pop(fault.id, None)
        loop = self._loops.pop(fault.id, None)
        if loop is not None:
            return Acted(by=ActedBy.TARGET, count=loop.deaths)
        return None if hit is None else Acted(by=ActedBy.TARGET, count=len(hit.all))

    def renew(self, lease_s: float) -> None:
        """Nothing: a stopped process knows no lease; the guardian gives it one."""

    def release(self) -> None:
        """Nothing: see `renew`."""

    def _name(self, fault: Fault) -> str:
        short = fault.at.removeprefix("processes.")
        try:
            return self._names[short]
        except KeyError:
            known = ", ".join(sorted(self._names)) or "none"
            raise FaultError(f"{fault.id}: the running target has no process {short!r}; it has {known}") from None

    def _aim(self, fault: Fault) -> _Hit:
        """Return what the fault will touch. Raises FaultError where any of it must not be touched."""
        name = self._name(fault)
        root = self._living(fault, name)
        now = executable(root)
        if now != self._executables[name]:
            raise FaultError(f"{fault.id}: pid {root.pid} of {fault.at} runs {now} now, not {self._executables[name]}")
        tree = complete(FAULT_KINDS[fault.kind], fault.parameters).get("tree", False)
        hit = _Hit(root=root, others=tuple(below(root)) if tree else ())
        for part in hit.all:
            if why := refusal(part):
                raise FaultError(f"{fault.id}: process {part.pid} of {fault.at} is not touched: {why}")
        return hit

    def _living(self, fault: Fault, name: str) -> Bound:
        """Return the process, also where the target has started it again by itself. Raises FaultError where it is dead."""
        if not lives(self._bound[name]) and self._process_now is not None:
            handle = self._process_now(name)
            self._bound[name] = Bound(pid=handle.pid, start_ticks=handle.start_ticks)
        if not lives(self._bound[name]):
            raise FaultError(f"{fault.id}: {fault.at} (pid {self._bound[name].pid}) is dead already")
        return self._bound[name]

    def _freeze(self, fault: Fault, hit: _Hit) -> None:
        """Stop the process first, so that it starts no more, then those below that it had started until then."""
        send(hit.root, signal.SIGSTOP)
        if complete(FAULT_KINDS[fault.kind], fault.parameters)["tree"]:
            hit = self._hits[fault.id] = _Hit(root=hit.root, others=tuple(dict.fromkeys((*hit.others, *below(hit.root)))))
        for part in hit.others:
            _send_if_there(part, signal.SIGSTOP, must=False)

    def _crash(self, fault: Fault) -> None:
        values = complete(FAULT_KINDS[fault.kind], fault.parameters)
        last: list[_Hit] = []

        def kill() -> None:
            hit = self._hits[fault.id] if not last else self._aim(fault)
            last[:] = [hit]
            for part in hit.all:
                _send_if_there(part, signal.SIGKILL, must=part == hit.root)
            self._wait_gone(fault, hit)

        loop = self._loops[fault.id] = CrashLoop(
            kill, lambda: self._start(fault), down_s=float(values["down"]) / 1000, up_s=float(values["up"]) / 1000
        )
        loop.begin()

    def _wait_gone(self, fault: Fault, hit: _Hit) -> None:
        within_ms = complete(FAULT_KINDS[fault.kind], fault.parameters).get("within", 1000)
        if not _within(float(within_ms) / 1000, lambda: not lives(hit.root)):
            raise FaultError(f"{fault.id}: {fault.at} (pid {hit.root.pid}) has not ended within {within_ms} ms")

    def _start(self, fault: Fault) -> None:
        name = self._name(fault)
        assert self._start_again is not None, "nothing is ended without it"
        try:
            handle = self._start_again(name)
        except HarnessError as error:
            raise FaultError(f"{fault.id}: {fault.at} did not start again: {error.message}", advice=error.advice) from error
        found = Bound(pid=handle.pid, start_ticks=handle.start_ticks)
        if bound(found.pid) != found:
            raise FaultError(f"{fault.id}: {fault.at} was started again as pid {found.pid}, and is gone")
        self._bound[name] = found


def _send_if_there(process: Bound, number: signal.Signals, *, must: bool) -> None:
    """Send a signal; one that ended meanwhile is no trouble unless it must be there."""
    try:
        send(process, number)
    except FaultError:
        if must or lives(process):
            raise


def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True
