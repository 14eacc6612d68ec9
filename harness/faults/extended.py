"""Faults of plug-ins: each kind by the backend that its plug-in makes, held to what a backend promises.

Code of others may raise anything and may hang. Here either becomes a FaultError with the plug-in's name, so that the
injector, the lanes and the clearing at the end meet nothing that they do not know.
"""

from collections.abc import Callable
from typing import TypeVar, cast, get_args

from harness.errors import FaultError, HarnessError
from harness.faults.backend import Backend
from harness.faults.bounded import run_bounded
from harness.faults.guardian.undo import UndoStep
from harness.model.fault import Acted, Fault
from harness.model.fault_kinds import FAULT_KINDS
from harness.model.target import Landscape

T = TypeVar("T")

WITHIN_S = 15.0
"""The longest that one call of a plug-in may take; a plug-in whose work takes longer polls in `confirm`."""


class ExtensionBackend:
    """Hands each fault to the backend that its kind's plug-in makes. See `Backend`."""

    def __init__(self, landscape: Landscape, *, within_s: float = WITHIN_S) -> None:
        self._landscape = landscape
        self._within_s = within_s
        self._made: dict[str, Backend] = {}

    def undo_steps(self, fault: Fault) -> tuple[UndoStep, ...]:
        """Return what heals the fault from another process; a plug-in may have none, but not something else."""
        steps = tuple(self._call(fault, "undo_steps", lambda backend: backend.undo_steps(fault)))
        for step in steps:
            if not isinstance(step, get_args(UndoStep)):
                raise FaultError(f"{fault.id}: {_whose(fault.kind)}: undo_steps returned {step!r:.80}, which is no undo step")
        return steps

    def apply(self, fault: Fault) -> None:
        """Put the fault in force."""
        self._call(fault, "apply", lambda backend: backend.apply(fault))

    def confirm(self, fault: Fault) -> None:
        """See that it is in force."""
        self._call(fault, "confirm", lambda backend: backend.confirm(fault))

    def in_force(self, fault: Fault) -> bool:
        """Return whether it still is."""
        return bool(self._call(fault, "in_force", lambda backend: backend.in_force(fault)))

    def clear(self, fault: Fault) -> None:
        """Take it away."""
        self._call(fault, "clear", lambda backend: backend.clear(fault))

    def prove_clear(self, fault: Fault) -> None:
        """See that it is gone."""
        self._call(fault, "prove_clear", lambda backend: backend.prove_clear(fault))

    def acted(self, fault: Fault) -> Acted | None:
        """Return how often it acted; None where the plug-in cannot tell, or fails to."""
        try:
            found = self._call(fault, "acted", lambda backend: backend.acted(fault))
        except FaultError:
            return None  # the fault is proved clear by now, and a count that fails is a count that nobody has
        return found if isinstance(found, Acted) else None

    def renew(self, lease_s: float) -> None:
        """Renew the leases of all that were made."""
        for kind in list(self._made):
            self._of(kind, "renew", lambda backend: backend.renew(lease_s))

    def release(self) -> None:
        """End the leases of all that were made."""
        for kind in list(self._made):
            self._of(kind, "release", lambda backend: backend.release())

    def _call(self, fault: Fault, step: str, work: Callable[[Backend], T]) -> T:
        return self._of(fault.kind, step, work)

    def _of(self, kind: str, step: str, work: Callable[[Backend], T]) -> T:
        answer: list[T] = []
        error, _ = run_bounded(lambda: answer.append(work(self._backend(kind))), self._within_s)
        if error is None:
            return answer[0]
        if isinstance(error, FaultError):
            raise FaultError(f"{_whose(kind)}: {error.message}", advice=error.advice) from error
        if isinstance(error, HarnessError):
            raise error
        raise FaultError(f"{_whose(kind)}: {step} raised {type(error).__name__}: {error}") from error

    def _backend(self, kind: str) -> Backend:
        if kind not in self._made:
            make = FAULT_KINDS[kind].backend
            if make is None:
                raise FaultError("it was read and not imported, so nothing here can apply it")
            self._made[kind] = cast("Backend", make(self._landscape))
        return self._made[kind]


def _whose(kind: str) -> str:
    return f"plug-in {FAULT_KINDS[kind].source}, fault {kind}"
