"""The backend of plug-ins: what a stranger's code does wrong is told as a fault's own trouble, in bounded time."""

import time

import pytest

from harness.errors import FaultError
from harness.extensions import FaultExtension
from harness.faults.backends import backends_for
from harness.faults.extended import ExtensionBackend
from harness.faults.guardian.undo import CommandStep
from harness.faults.injector import FaultInjector
from harness.model.fault import Acted, ActedBy, Fault
from harness.model.fault_kinds import adopt
from harness.model.journal import Event
from harness.model.target import Landscape

FAULT = Fault(id="f1", at="plugins.roof", kind="drizzle", phase="outage", apply_ns=0, clear_ns=1)
LANDSCAPE = Landscape(links={})
STEP = CommandStep(command=("true",), within_s=1.0)


class Sound:
    """A backend that does all it should."""

    def __init__(self, landscape: Landscape) -> None:
        self.wet = False

    def undo_steps(self, fault: Fault):
        return (STEP,)

    def apply(self, fault: Fault) -> None:
        self.wet = True

    def confirm(self, fault: Fault) -> None:
        if not self.wet:
            raise FaultError("dry")

    def in_force(self, fault: Fault) -> bool:
        return self.wet

    def clear(self, fault: Fault) -> None:
        self.wet = False

    def prove_clear(self, fault: Fault) -> None:
        if self.wet:
            raise FaultError("wet")

    def acted(self, fault: Fault):
        return Acted(by=ActedBy.TARGET, count=3)

    def renew(self, lease_s: float) -> None:
        pass

    def release(self) -> None:
        pass


def known(backend) -> None:
    adopt([FaultExtension(kind="drizzle", title="It drips", places=("plugins.roof",), backend=backend).specification("ours.py")])


def raise_value_error(*_):
    raise ValueError("no roof")


def with_method(name: str, method):
    return type("Strange", (Sound,), {name: method})


def test_a_fault_of_a_plug_in_goes_the_way_of_every_other():
    known(Sound)
    journal = []
    injector = FaultInjector(LANDSCAPE, lambda event, subject, **data: journal.append((event, data)))
    injector.apply(FAULT)
    assert [fault.id for fault in injector.active()] == ["f1"]
    injector.clear("f1")
    events = [event for event, _ in journal]
    assert events == [
        Event.FAULT_REQUESTED,
        Event.FAULT_CONFIRMED,
        Event.FAULT_CLEARED,
        Event.FAULT_PROVED_CLEAR,
        Event.FAULT_ACTED,
    ]
    assert journal[-1][1] == {"by": "target", "count": 3}


def test_a_plug_in_that_becomes_known_later_brings_its_place_and_its_fault():
    journal = []
    injector = FaultInjector(LANDSCAPE, lambda event, *_, **__: journal.append(event), backends=backends_for(LANDSCAPE))
    assert injector.places == frozenset()
    with pytest.raises(FaultError, match="it offers no place for faults"):
        injector.apply(FAULT)
    known(Sound)
    assert injector.places == {"plugins.roof"}
    injector.apply(FAULT)
    injector.clear(FAULT.id)
    assert Event.FAULT_PROVED_CLEAR in journal


@pytest.mark.parametrize("method", ["undo_steps", "apply", "confirm", "in_force", "clear", "prove_clear"])
def test_what_it_raises_names_the_plug_in_and_the_step(method: str):
    known(with_method(method, raise_value_error))
    backend = ExtensionBackend(LANDSCAPE)
    with pytest.raises(FaultError, match=f"plug-in ours.py, fault drizzle: {method} raised ValueError: no roof"):
        getattr(backend, method)(FAULT)


def test_one_that_cannot_be_made_is_told():
    known(raise_value_error)
    with pytest.raises(FaultError, match=r"plug-in ours.py, fault drizzle: undo_steps raised ValueError: no roof"):
        ExtensionBackend(LANDSCAPE).undo_steps(FAULT)


def test_one_that_hangs_is_left_behind_in_time():
    known(with_method("apply", lambda *_: time.sleep(3)))
    began = time.monotonic()
    with pytest.raises(FaultError, match=r"plug-in ours.py, fault drizzle: gave up"):
        ExtensionBackend(LANDSCAPE, within_s=0.2).apply(FAULT)
    assert time.monotonic() - began < 2.5


def test_an_undo_step_that_the_guardian_does_not_know_is_refused_before_anything_is_touched():
    known(with_method("undo_steps", lambda *_: ("rm -rf /",)))
    with pytest.raises(FaultError, match="which is no undo step"):
        ExtensionBackend(LANDSCAPE).undo_steps(FAULT)


@pytest.mark.parametrize("answer", [raise_value_error, lambda *_: None, lambda *_: 7])
def test_a_count_that_nobody_has_is_none_and_never_zero(answer):
    known(with_method("acted", answer))
    assert ExtensionBackend(LANDSCAPE).acted(FAULT) is None


def test_a_kind_that_was_only_read_cannot_be_applied():
    from dataclasses import replace

    extension = FaultExtension(kind="drizzle", title="t", places=("plugins.roof",), backend=Sound)
    adopt([replace(extension.specification("ours.py"), backend=None)])
    with pytest.raises(FaultError, match="it was read and not imported"):
        ExtensionBackend(LANDSCAPE).apply(FAULT)
