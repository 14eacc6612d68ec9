"""Faults on what a program has started: in force for a block, healed at its end whatever happens in it."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from harness.errors import ConfigurationError
from harness.extensions.by_hand import adopt_installed
from harness.faults import FaultInjector, Guardian
from harness.model.fault import Acted, ActedBy, Fault, Scalar
from harness.model.fault_kinds import FAULT_KINDS, check_fault, complete
from harness.model.fault_words import find_place
from harness.model.journal import Event
from harness.model.target import Landscape
from harness.target.supervise import default_state_directory


@dataclass(slots=True)
class ActiveFault:
    """A fault of a block. acted: how often it acted and by whose records, once the block has ended; None until then."""

    at: str
    kind: str
    acted: Acted | None = field(default=None)


class Breaker:
    """A hand on the faults of one landscape, with a guardian that heals should this process be killed."""

    def __init__(self, landscape: Landscape, guardian: Guardian) -> None:
        self._injector = FaultInjector(landscape, self._note, guardian=guardian)
        self._numbers = count(1)
        self._acted: dict[str, Acted] = {}
        self._lock = threading.Lock()

    @property
    def places(self) -> tuple[str, ...]:
        """Every place that a fault may name, sorted."""
        return tuple(sorted(self._injector.places))

    @contextlib.contextmanager
    def fault(self, at: str, kind: str, **parameters: Scalar) -> Iterator[ActiveFault]:
        """Keep a fault in force for the block. Raises ConfigurationError for one that cannot be, FaultError otherwise."""
        adopt_installed(kind)
        place = find_place(at, kind, self._injector.places)
        if problems := check_fault(place, kind, parameters, self._injector.places):
            raise ConfigurationError(*problems)
        made = Fault(
            id=f"api-{next(self._numbers)}-{kind}-{place.replace('.', '-')}",
            at=place,
            kind=kind,
            phase="",
            apply_ns=0,
            clear_ns=0,
            parameters=complete(FAULT_KINDS[kind], parameters),
        )
        active = ActiveFault(at=place, kind=kind)
        self._injector.apply(made)
        try:
            yield active
        finally:
            self._injector.clear(made.id)
            with self._lock:
                active.acted = self._acted.pop(made.id, None)

    def clear_all(self) -> None:
        """Clear what is still in force; raises the first trouble."""
        for trouble in self._injector.clear_all():
            raise trouble

    def _note(self, event: Event, subject: str, /, **data: str | float | bool | None) -> None:
        if event is Event.FAULT_ACTED:
            times = data["count"]
            with self._lock:
                self._acted[subject] = Acted(by=ActedBy(str(data["by"])), count=None if times is None else int(times))


@contextlib.contextmanager
def breaking(landscape: Landscape) -> Iterator[Breaker]:
    """Be able to break a landscape during the block; everything is cleared at its end."""
    guardian = Guardian.start(default_state_directory())
    try:
        breaker = Breaker(landscape, guardian)
        try:
            yield breaker
        finally:
            breaker.clear_all()
    finally:
        guardian.stop()
