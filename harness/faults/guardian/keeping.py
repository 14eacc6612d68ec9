"""The undo list, in memory and on disk, and the lease on it."""

import contextlib
import os
import time
from pathlib import Path

from harness.faults.guardian.undo import UndoList, UndoStep, socket_beside, to_json
from harness.faults.procfs import bound


class Keeping:
    """What the guardian holds. ends_at: when the lease ends (`time.monotonic`), None while nothing is held.

    Every change is on disk, whole, before the method returns. Raises OSError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._steps: dict[str, tuple[UndoStep, ...]] = {}
        self._lease_ends_at: float | None = None
        myself = bound(os.getpid())
        assert myself is not None, "this very process lives"
        self._myself = myself

    @property
    def ends_at(self) -> float | None:
        """The end of the lease; None while nothing is held."""
        return self._lease_ends_at if self._steps else None

    def ready(self) -> dict[str, object]:
        """Write the empty list, so that a place that cannot be written shows before any fault; return the greeting."""
        self._write()
        return {"event": "ready"}

    def hold(self, fault_id: str, steps: tuple[UndoStep, ...], lease_s: float) -> None:
        """Add what heals a fault, and begin a lease."""
        self._steps[fault_id] = steps
        self.lease(lease_s)
        self._write()

    def release(self, fault_id: str) -> None:
        """Forget a fault that was proved clear, or healed."""
        if self._steps.pop(fault_id, None) is not None:
            self._write()

    def lease(self, seconds: float) -> None:
        """Let the lease end so long from now."""
        self._lease_ends_at = time.monotonic() + seconds

    def held(self) -> list[str]:
        """Return the faults on the list in the order held."""
        return list(self._steps)

    def steps(self, fault_id: str) -> tuple[UndoStep, ...]:
        """Return what heals a fault."""
        return self._steps[fault_id]

    def remove(self) -> None:
        """Remove the list from the disk, and the socket that a killed control left beside it."""
        with contextlib.suppress(OSError):  # an empty list left behind heals nothing and harms nothing
            self._path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            socket_beside(self._path).unlink(missing_ok=True)

    def _write(self) -> None:
        undo = UndoList(guardian_pid=self._myself.pid, guardian_ticks=self._myself.start_ticks, steps=self._steps)
        temporary = self._path.with_name(f".{self._path.name}.part")
        # Not fsynced: what is to be survived is a kill, not a loss of power, which no fault survives either.
        temporary.write_bytes(to_json(undo))
        temporary.replace(self._path)
