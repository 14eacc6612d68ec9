"""Dependency faults: a store or a database is told to misbehave, by its own means."""

from collections.abc import Mapping
from contextlib import suppress

from harness.errors import FaultError
from harness.faults.database import DatabaseFaults
from harness.faults.database_disk import SlowDisk
from harness.faults.guardian.undo import StoreStep, UndoStep
from harness.faults.store import StoreFaults
from harness.model.fault import Acted, ActedBy, Fault
from harness.model.target import Dependency


class DependencyBackend:
    """Faults of the dependencies of a target. See `Backend`."""

    def __init__(self, dependencies: Mapping[str, Dependency]) -> None:
        self._stores = {at: StoreFaults(part) for at, part in dependencies.items() if part.kind == "redis"}
        self._databases = {at: DatabaseFaults(part) for at, part in dependencies.items() if part.kind == "postgres"}
        self._disks = {at: SlowDisk(part) for at, part in dependencies.items() if part.kind == "postgres"}
        self._steps: dict[str, tuple[UndoStep, ...]] = {}
        self._lease_s = 10.0

    def undo_steps(self, fault: Fault) -> tuple[UndoStep, ...]:
        """Return what restores the settings of now."""
        self._steps[fault.id] = self._serving(fault).undo_steps(fault)
        return self._steps[fault.id]

    def apply(self, fault: Fault) -> None:
        """Have the server do it."""
        serving = self._serving(fault)
        if fault.id not in self._steps:
            self.undo_steps(fault)  # where no guardian asked for them
        if isinstance(serving, StoreFaults):
            serving.apply(fault)
        else:
            serving.apply(fault, self._lease_s)

    def confirm(self, fault: Fault) -> None:
        """See its effect on a connection of our own."""
        self._serving(fault).confirm(fault)

    def in_force(self, fault: Fault) -> bool:
        """Return whether the server still stands as it was put."""
        return bool(self._serving(fault).in_force(fault))

    def clear(self, fault: Fault) -> None:
        """Restore what was before."""
        serving = self._serving(fault)
        if isinstance(serving, StoreFaults):
            serving.clear(fault, tuple(step for step in self._steps.get(fault.id, ()) if isinstance(step, StoreStep)))
        else:
            serving.clear(fault)

    def prove_clear(self, fault: Fault) -> None:
        """See it serve a connection of our own."""
        self._serving(fault).prove_clear(fault)
        self._steps.pop(fault.id, None)

    def acted(self, fault: Fault) -> Acted | None:
        """Return how many commands, statements or connections it touched, by the server's own records."""
        count = self._serving(fault).acted(fault)
        return None if count is None else Acted(by=ActedBy.TARGET, count=count)

    def renew(self, lease_s: float) -> None:
        """Keep what is held by connections; the guardian gives settings their lease."""
        self._lease_s = lease_s
        for database in self._databases.values():
            database.renew(lease_s)

    def release(self) -> None:
        """Nothing: a lease of connections ends with them."""

    def _serving(self, fault: Fault) -> StoreFaults | DatabaseFaults | SlowDisk:
        if fault.kind == "slow_disk" and fault.at in self._disks:
            return self._disks[fault.at]
        for serving in (self._stores, self._databases):
            with suppress(KeyError):
                return serving[fault.at]
        known = ", ".join(sorted({*self._stores, *self._databases})) or "none"
        raise FaultError(f"{fault.id}: the running target has no dependency {fault.at!r}; it has {known}")
