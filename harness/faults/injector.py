"""Applies the faults of a run and takes them away again, each step in the journal with its proof.

The order is the promise: journalled before it is touched, on the guardian's undo list before it is applied, confirmed
from outside before it counts, proved clear before it is let go.
"""

import contextlib
import threading
from collections.abc import Callable, Mapping

from harness.errors import FaultError, HarnessError
from harness.faults.backend import Backend
from harness.faults.backends import backends_for, places_of
from harness.faults.bounded import run_bounded
from harness.faults.guardian.connection import Guardian
from harness.faults.leases import Leases
from harness.faults.register import Entry, Register
from harness.faults.steps import Recorder, Steps
from harness.model.fault import Fault, Layer
from harness.model.fault_kinds import FAULT_KINDS, check_fault, own_places
from harness.model.fault_kinds.process import ENDING_KINDS
from harness.model.journal import Event
from harness.model.target import Landscape


class FaultInjector:
    """The hand on every fault of one running target. For use from several threads.

    record: called for every step. What it raises stops an `apply` (undone); a `clear` goes on and raises it last.
    lease_s: faults fall away so long after this process stopped renewing them.
    guardian: holds the undo list of what knows no lease; without one, `kill -9` of this process may leave faults.
    backends: by layer; those that the landscape allows where not given.
    """

    def __init__(
        self,
        landscape: Landscape,
        record: Recorder,
        *,
        lease_s: float = 10.0,
        guardian: Guardian | None = None,
        backends: Mapping[Layer, Backend] | None = None,
    ) -> None:
        self._places = places_of(landscape)
        self._backends = backends_for(landscape) if backends is None else backends
        self._instances = frozenset() if landscape.rollout is None else frozenset(landscape.rollout.instances)
        self._record = record
        self._lease_s = lease_s
        self._guardian = guardian
        self._register = Register()
        self._lease_lock = threading.Lock()
        self._leases: Leases | None = None

    @property
    def places(self) -> frozenset[str]:
        """Every `at` that a fault may name; a plug-in that becomes known meanwhile brings its own."""
        return self._places | own_places()

    def active(self) -> tuple[Fault, ...]:
        """Return the faults that are in force, or may be, in the order applied."""
        return self._register.faults()

    def ended_on_purpose(self) -> frozenset[str]:
        """Return the processes, without `processes.`, that a fault may have ended: their deaths are no accidents."""
        ended = {fault.at.removeprefix("processes.") for fault in self.active() if fault.kind in ENDING_KINDS}
        if any(fault.kind == "rolling_restart" for fault in self.active()):
            ended |= self._instances
        return frozenset(ended)

    def apply(self, fault: Fault, *, rehearsal: bool = False) -> None:
        """Put a fault in force and see that it is. Raises FaultError, with the fault undone."""
        backend = self._backend_for(fault)
        steps = Steps(self._record, fault, rehearsal=rehearsal)
        entry = self._register.add(fault)
        try:
            steps.note(Event.FAULT_REQUESTED, kind=fault.kind, at=fault.at, phase=fault.phase)
        except BaseException:
            self._register.remove(entry)
            raise
        try:
            if self._guardian is not None:
                self._guardian.hold(fault.id, backend.undo_steps(fault))
            backend.renew(self._lease_s)
            self._keep_leases()
            backend.apply(fault)
            backend.confirm(fault)
            if not self._register.has(entry) or entry.claimed:
                raise FaultError(f"{fault.id}: cleared while it was being applied")
            steps.note(Event.FAULT_CONFIRMED)
        except BaseException as error:
            self._undo(backend, entry, steps, error)
            if isinstance(error, HarnessError) or not isinstance(error, Exception):
                raise
            raise FaultError(f"{fault.id}: {fault.kind} at {fault.at} could not be applied: {error!r}") from error

    def clear(self, fault_id: str, *, rehearsal: bool = False) -> None:
        """Take a fault away, see that it is gone, and note how often it acted.

        Raises FaultError where that cannot be proved: the fault may still be in force, stays in `active`, and the
        guardian keeps its undo steps. One that is not active is an error too.
        """
        entry = self._register.claim(fault_id)
        if entry is None:
            raise FaultError(f"no fault {fault_id!r} is in force, or it is being cleared already")
        fault = entry.fault
        backend = self._backend_for(fault)
        steps = Steps(self._record, fault, rehearsal=rehearsal)
        try:
            fell_away = _fell_away(backend, fault)
            backend.clear(fault)
            steps.note_anyway(Event.FAULT_CLEARED)
            backend.prove_clear(fault)
        except BaseException as error:
            self._register.unclaim(entry)
            steps.note_anyway(Event.FAULT_FAILED, step="clear", reason=_reason(error))
            raise
        steps.note_anyway(Event.FAULT_PROVED_CLEAR)
        self._let_go(backend, entry)
        acted = backend.acted(fault)
        by = FAULT_KINDS[fault.kind].acted_by.value
        steps.note_anyway(Event.FAULT_ACTED, by=by, count=None if acted is None else acted.count)
        if fell_away:
            steps.note_anyway(Event.FAULT_FAILED, step="hold", reason="it was no longer in force when it was to be cleared")
        steps.raise_lost()

    def clear_all(self, *, within_s: float = 4.5) -> list[FaultError]:
        """Clear every active fault, the last applied first, whatever happens; return what could not be proved clear.

        Never raises. within_s: for all together; a backend that hangs costs its own share of it, not the others'.
        """
        troubles: list[FaultError] = []
        left_s = within_s
        waiting = list(self.active())
        while waiting:
            fault_id = waiting.pop().id
            share_s = max(0.2, left_s / (len(waiting) + 1))
            error, took_s = run_bounded(self._clearing(fault_id), share_s)
            left_s = max(0.0, left_s - took_s)
            if error is not None and not (isinstance(error, FaultError) and self._register.find(fault_id) is None):
                troubles.append(error if isinstance(error, FaultError) else FaultError(f"{fault_id}: {_reason(error)}"))
        return troubles

    def _clearing(self, fault_id: str) -> Callable[[], None]:
        return lambda: self.clear(fault_id)

    def _backend_for(self, fault: Fault) -> Backend:
        if problems := check_fault(fault.at, fault.kind, fault.parameters, self.places):
            raise FaultError(f"{fault.id}: {problems[0]}")
        layer = FAULT_KINDS[fault.kind].layer
        try:
            return self._backends[layer]
        except KeyError:
            raise FaultError(f"{fault.id}: nothing in this target can apply a {layer.value} fault") from None

    def _undo(self, backend: Backend, entry: Entry, steps: Steps, why: BaseException) -> None:
        """Take away what may have been applied; the error on its way says why, so this raises nothing."""
        fault = entry.fault
        steps.note_anyway(Event.FAULT_FAILED, step="apply", reason=_reason(why))
        try:
            backend.clear(fault)
            backend.prove_clear(fault)
        except HarnessError as error:
            self._register.unclaim(entry)
            steps.note_anyway(Event.FAULT_FAILED, step="undo", reason=error.message)
            why.add_note(f"and it could not be undone: {error}")
            return
        self._let_go(backend, entry)

    def _let_go(self, backend: Backend, entry: Entry) -> None:
        """Forget a fault that is proved clear; with the last of a layer its lease ends, with the last of all renewing."""
        self._register.remove(entry)
        layers = self._layers()
        if not layers:
            with self._lease_lock:
                leases, self._leases = self._leases, None
            if leases is not None:
                leases.stop()
        # Nothing of ours is in force any more: a lease or an undo step that cannot be ended now ends by itself.
        with contextlib.suppress(HarnessError):
            if FAULT_KINDS[entry.fault.kind].layer not in layers:
                backend.release()
        if self._guardian is not None:
            with contextlib.suppress(HarnessError):
                self._guardian.release(entry.fault.id)

    def _keep_leases(self) -> None:
        with self._lease_lock:
            if self._leases is None:
                self._leases = Leases(self._renewals, self._lease_s, self._report_lease)
                self._leases.start()

    def _layers(self) -> set[Layer]:
        return {FAULT_KINDS[fault.kind].layer for fault in self.active()}

    def _renewals(self) -> dict[str, Callable[[float], None]]:
        renewals: dict[str, Callable[[float], None]] = {
            f"{layer.value} faults": self._backends[layer].renew for layer in self._layers()
        }
        if self._guardian is not None:
            renewals["the guardian"] = self._guardian.renew
        return renewals

    def _report_lease(self, name: str, reason: str) -> None:
        # The thread that renews must outlive a full disk; the conductor meets that disk itself.
        with contextlib.suppress(HarnessError):
            self._record(Event.TROUBLE, "lease", reason=f"the lease of {name} cannot be renewed: {reason}")


def _fell_away(backend: Backend, fault: Fault) -> bool:
    """Return whether a fault was gone before it was cleared; False where that cannot be told now."""
    try:
        return not backend.in_force(fault)
    except HarnessError:
        return False  # clearing meets the same trouble, and says so


def _reason(error: BaseException) -> str:
    return error.message if isinstance(error, HarnessError) else repr(error)
