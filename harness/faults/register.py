"""The faults that are in force, or may be, and who is dealing with each."""

import threading
from dataclasses import dataclass

from harness.errors import FaultError
from harness.model.fault import Fault
from harness.model.fault_kinds import contradiction


@dataclass(slots=True, eq=False)
class Entry:
    """One use of a fault. claimed: somebody is clearing it."""

    fault: Fault
    claimed: bool = False


class Register:
    """The entries in the order applied. For use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}

    def faults(self) -> tuple[Fault, ...]:
        """Return the faults in the order applied."""
        with self._lock:
            return tuple(entry.fault for entry in self._entries.values())

    def find(self, fault_id: str) -> Entry | None:
        """Return the entry of that id, or None."""
        with self._lock:
            return self._entries.get(fault_id)

    def has(self, entry: Entry) -> bool:
        """Return whether this very entry is still there."""
        return self.find(entry.fault.id) is entry

    def add(self, fault: Fault) -> Entry:
        """Note a fault. Raises FaultError where its id is taken or another at its place contradicts it."""
        with self._lock:
            if fault.id in self._entries:
                raise FaultError(f"{fault.id}: is in force already")
            for other in self._entries.values():
                if why := contradiction(other.fault, fault):
                    raise FaultError(f"{fault.id}: {why} ({other.fault.id})", advice="clear the one before the other begins")
            entry = self._entries[fault.id] = Entry(fault)
            return entry

    def remove(self, entry: Entry) -> None:
        """Forget an entry; nothing where it is gone already."""
        with self._lock:
            if self._entries.get(entry.fault.id) is entry:
                del self._entries[entry.fault.id]

    def claim(self, fault_id: str) -> Entry | None:
        """Return the entry for its one clearer, or None where there is none or somebody has it."""
        with self._lock:
            entry = self._entries.get(fault_id)
            if entry is None or entry.claimed:
                return None
            entry.claimed = True
            return entry

    def unclaim(self, entry: Entry) -> None:
        """Let somebody else try."""
        with self._lock:
            entry.claimed = False
