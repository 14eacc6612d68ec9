"""One layer of a target that is reached in two ways: some places by one backend, the others by another."""

from harness.faults.backend import Backend
from harness.faults.guardian.undo import UndoStep
from harness.model.fault import Acted, Fault


class ByPlace:
    """Hands each fault to the backend of its place. See `Backend`.

    special: the names, without `processes.`, that the first backend serves; the second serves all others.
    """

    def __init__(self, special: frozenset[str], first: Backend, second: Backend) -> None:
        self._special = special
        self._first = first
        self._second = second

    def undo_steps(self, fault: Fault) -> tuple[UndoStep, ...]:
        """Return what heals the fault from another process."""
        return self._of(fault).undo_steps(fault)

    def apply(self, fault: Fault) -> None:
        """Put the fault in force."""
        self._of(fault).apply(fault)

    def confirm(self, fault: Fault) -> None:
        """See that it is in force."""
        self._of(fault).confirm(fault)

    def in_force(self, fault: Fault) -> bool:
        """Return whether it still is."""
        return self._of(fault).in_force(fault)

    def clear(self, fault: Fault) -> None:
        """Take it away."""
        self._of(fault).clear(fault)

    def prove_clear(self, fault: Fault) -> None:
        """See that it is gone."""
        self._of(fault).prove_clear(fault)

    def acted(self, fault: Fault) -> Acted | None:
        """Return how often it acted."""
        return self._of(fault).acted(fault)

    def renew(self, lease_s: float) -> None:
        """Renew both leases."""
        self._first.renew(lease_s)
        self._second.renew(lease_s)

    def release(self) -> None:
        """End both leases."""
        self._first.release()
        self._second.release()

    def _of(self, fault: Fault) -> Backend:
        room, _, name = fault.at.partition(".")
        return self._first if room == "containers" or name in self._special else self._second
