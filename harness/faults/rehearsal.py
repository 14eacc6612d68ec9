"""Tries every fault of a plan for a moment before the load, so that what cannot be done shows at once."""

from collections.abc import Iterable

from harness.errors import FaultError
from harness.faults.injector import FaultInjector
from harness.model.fault import Fault, Scalar


def rehearse(injector: FaultInjector, faults: Iterable[Fault]) -> None:
    """Apply, confirm, clear and prove clear each fault, one after the other.

    Raises FaultError that names the first one that cannot be done, and why; nothing of it stays in force, or the
    error says so. The journal's entries carry `rehearsal`, and the fault's own id. What comes again and again (a flapping
    fault, a nemesis' favourite) is tried once.
    """
    tried: set[tuple[str, str, frozenset[tuple[str, Scalar]]]] = set()
    for fault in faults:
        what = (fault.at, fault.kind, frozenset(fault.parameters.items()))
        if what in tried:
            continue
        tried.add(what)
        where = f"rehearsal: {fault.kind} at {fault.at} (phase {fault.phase!r})"
        try:
            injector.apply(fault, rehearsal=True)
        except FaultError as error:
            raise FaultError(f"{where} cannot be applied: {error.message}", advice=_advice(error)) from error
        try:
            injector.clear(fault.id, rehearsal=True)
        except FaultError as error:
            injector.clear_all()
            raise FaultError(f"{where} cannot be cleared: {error.message}", advice=_advice(error)) from error


def _advice(error: FaultError) -> str | None:
    parts = [part for part in (error.advice, *getattr(error, "__notes__", ())) if part]
    return "\n  ".join(parts) or None
