"""What every way of breaking things can do: the port that the injector works through."""

from typing import Protocol

from harness.faults.guardian.undo import UndoStep
from harness.model.fault import Acted, Fault


class Backend(Protocol):
    """Applies the faults of one layer. Every method raises FaultError and ends in bounded time."""

    def undo_steps(self, fault: Fault) -> tuple[UndoStep, ...]:
        """Return what heals the fault from another process; asked before anything is touched."""

    def apply(self, fault: Fault) -> None:
        """Put the fault in force."""

    def confirm(self, fault: Fault) -> None:
        """See from outside that it is in force, or raise."""

    def in_force(self, fault: Fault) -> bool:
        """Return whether it still is; one that fell away by itself was not in force all the time."""

    def clear(self, fault: Fault) -> None:
        """Take it away; a fault that is not there is cleared already."""

    def prove_clear(self, fault: Fault) -> None:
        """See from outside that it is gone, or raise."""

    def acted(self, fault: Fault) -> Acted | None:
        """Return how often it acted from its confirmation to its end; None where nobody can tell. Asked once, last."""

    def renew(self, lease_s: float) -> None:
        """Keep what is in force for `lease_s` seconds from now; nothing where the backend knows no lease."""

    def release(self) -> None:
        """End the lease: nothing is in force any more."""
