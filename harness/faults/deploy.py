"""Deploys as faults: a rolling restart, a switch to another version and back, a canary."""

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from harness.errors import FaultError, HarnessError
from harness.faults.backend import Backend
from harness.faults.guardian.undo import UndoStep
from harness.model.fault import Acted, ActedBy, Fault
from harness.model.fault_kinds import FAULT_KINDS, complete
from harness.model.target import Rollout

_ROLLED_WITHIN_S = 90.0
_SURE = 1e-6
"""A share is seen in what our own requests meet; that none of them met it must be this unlikely before it counts."""
_SEEN_WITHIN_S = 10.0
_BACK_WITHIN_S = 10.0


@runtime_checkable
class Cycles(Protocol):
    """What can end an instance and start it again in its place."""

    def cycle(self, fault: Fault, name: str, *, within_s: float) -> None:
        """Tell it to end, see it gone, and start it again. Raises FaultError."""


class DeployBackend:
    """Faults by deploying the service of a target. See `Backend`.

    Whatever starts the service ends it when the harness dies, and the other version with it: no undo step is needed.
    """

    def __init__(self, rollout: Rollout, processes: Backend) -> None:
        self._rollout = rollout
        self._processes = processes
        self._rolling: dict[str, _Rolling] = {}
        self._started: set[str] = set()
        self._acted: dict[str, int] = {}

    def undo_steps(self, fault: Fault) -> tuple[UndoStep, ...]:  # noqa: ARG002 - see above
        """Return nothing: see above."""
        return ()

    def apply(self, fault: Fault) -> None:
        """Begin to replace the instances, or start the other version and deal it its share."""
        values = complete(FAULT_KINDS[fault.kind], fault.parameters)
        if fault.kind == "rolling_restart":
            if not isinstance(self._processes, Cycles):
                raise FaultError(f"{fault.id}: the instances of this target cannot be started again one by one")
            within_s, cycle = float(values["within"]) / 1000, self._processes.cycle

            def replace(name: str) -> None:
                cycle(fault, name, within_s=within_s)
                self._see_back(fault, name)

            names, pause_s = self._rollout.instances, float(values["pause"]) / 1000
            rolling = self._rolling[fault.id] = _Rolling(replace, names, pause_s=pause_s)
            rolling.begin()
            return
        percent = _percent(fault)
        self._started.add(fault.id)
        with _told(fault):
            self._rollout.start(version=str(values["version"]), defect=_text(values.get("defect")))
            self._rollout.shift(percent)

    def confirm(self, fault: Fault) -> None:
        """See the first instance replaced, or the other version answer through the balancer."""
        if fault.kind == "rolling_restart":
            return  # the first one was seen to end, and to answer again, before `apply` was done
        share = _percent(fault) / 100
        tries = 1 if share >= 1 else math.ceil(math.log(_SURE) / math.log(1 - share))
        deadline = time.monotonic() + _SEEN_WITHIN_S
        with _told(fault):
            seen = [self._rollout.answering()]
            while seen[-1] not in self._others(seen) and len(seen) < tries and time.monotonic() < deadline:
                seen.append(self._rollout.answering())
        if seen[-1] not in self._others(seen):
            raise FaultError(f"{fault.id}: {len(seen)} requests through the balancer met the present version only")

    def in_force(self, fault: Fault) -> bool:
        """Return whether the balancer still deals it its share; a rolling restart may be over."""
        if fault.kind == "rolling_restart":
            return self._rolling[fault.id].failure is None
        with _told(fault):
            return self._rollout.percent() == _percent(fault)

    def clear(self, fault: Fault) -> None:
        """Wait for the last instance, or take every request back and end the other version; nothing where it never was."""
        if (rolling := self._rolling.get(fault.id)) is not None:
            rolling.finish(within_s=_ROLLED_WITHIN_S)
        if fault.id in self._started:
            with _told(fault):
                self._rollout.shift(0)
                # What it has in hand it answers while it ends, and counts no more where we could still read it.
                with contextlib.suppress(HarnessError):
                    self._acted[fault.id] = self._rollout.answered()
                self._rollout.end()

    def prove_clear(self, fault: Fault) -> None:
        """See every instance of the present version answer, and no other."""
        if (rolling := self._rolling.get(fault.id)) is not None and rolling.failure is not None:
            raise FaultError(f"{fault.id}: {rolling.failure}", advice="by hand: start the target again")
        if fault.id not in self._started:
            return
        with _told(fault):
            percent, seen = self._rollout.percent(), [self._rollout.answering() for _ in range(4)]
        if percent != 0 or set(seen) & self._others(seen):
            raise FaultError(f"{fault.id}: the other version still answers", advice="by hand: start the target again")

    def acted(self, fault: Fault) -> Acted | None:
        """Return how many instances were replaced, or requests the other version answered; None where nobody can tell."""
        rolling = self._rolling.pop(fault.id, None)
        if rolling is not None:
            return Acted(by=ActedBy.TARGET, count=rolling.done)
        if fault.id not in self._started:
            return None
        self._started.discard(fault.id)
        return Acted(by=ActedBy.TARGET, count=self._acted.pop(fault.id, None))

    def renew(self, lease_s: float) -> None:
        """Nothing: it ends with whoever started it."""

    def release(self) -> None:
        """Nothing: see `renew`."""

    def _see_back(self, fault: Fault, name: str) -> None:
        """Wait until the balancer sends requests to an instance again: the next one may end only then."""
        deadline = time.monotonic() + _BACK_WITHIN_S
        while time.monotonic() < deadline:
            with contextlib.suppress(HarnessError):  # nobody answers for a moment where there was one instance only
                if self._rollout.answering().removeprefix("service-") == name.removeprefix("service-"):
                    return
            time.sleep(0.02)
        raise FaultError(f"{fault.id}: {name} is ready again, and the balancer has sent nobody to it for {_BACK_WITHIN_S:.0f} s")

    def _others(self, seen: list[str]) -> set[str]:
        present = {name.removeprefix("service-") for name in self._rollout.instances}
        return {name for name in seen if name.removeprefix("service-") not in present}


class _Rolling:
    """One instance after the other, in a thread of its own. done: how many are replaced."""

    def __init__(self, replace: Callable[[str], None], names: Sequence[str], *, pause_s: float) -> None:
        self._replace = replace
        self._names = names
        self._pause_s = pause_s
        self.done = 0
        self.failure: str | None = None
        self._thread = threading.Thread(target=self._run, name="fault-rolling", daemon=True)

    def begin(self) -> None:
        """Replace the first one, then go on with that. Raises what that raises."""
        try:
            self._replace(self._names[0])
        except HarnessError as error:
            self.failure = error.message
            raise
        self.done = 1
        self._thread.start()

    def finish(self, *, within_s: float) -> None:
        """Wait for the last one. Raises FaultError where that takes too long."""
        if self._thread.ident is not None:
            self._thread.join(within_s)
        if self._thread.is_alive():
            raise FaultError(f"instances are still being replaced after {within_s:.0f} s")

    def _run(self) -> None:
        for name in self._names[1:]:
            time.sleep(self._pause_s)
            try:
                self._replace(name)
            except HarnessError as error:
                self.failure = error.message
                return
            self.done += 1


@contextlib.contextmanager
def _told(fault: Fault) -> Iterator[None]:
    """Say of which fault it is that a target could not be told."""
    try:
        yield
    except FaultError:
        raise
    except HarnessError as error:
        raise FaultError(f"{fault.id}: {error.message}", advice=error.advice) from error


def _percent(fault: Fault) -> int:
    if fault.kind == "blue_green":
        return 100
    return max(1, round(100 * float(complete(FAULT_KINDS[fault.kind], fault.parameters)["share"])))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
