"""The order of the steps is the promise, and it holds whatever fails."""

import threading
import time

import pytest

from harness.errors import FaultError, StorageError
from harness.faults import FaultInjector, rehearse
from harness.faults.guardian.undo import HttpStep
from harness.model.fault import Acted, ActedBy, Fault, Layer
from harness.model.journal import Event
from harness.model.target import Landscape, Link

LINK = Link(name="links.redis", proxy="redis", toxiproxy_url="http://127.0.0.1:1", listen="127.0.0.1:2", upstream="127.0.0.1:3")
LANDSCAPE = Landscape(links={"links.redis": LINK, "links.postgres": LINK})
STEPS = (HttpStep(method="DELETE", url="http://127.0.0.1:1/x"),)


class Diary:
    """Hears everything that happens, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.data: list[tuple[str, str, dict]] = []
        self.full_disk = False

    def record(self, event: Event, subject: str, /, **data) -> None:
        if self.full_disk:
            raise StorageError("no space left")
        self.lines.append(event.value)
        self.data.append((event.value, subject, data))

    def of(self, event: Event) -> list[tuple[str, dict]]:
        return [(subject, data) for name, subject, data in self.data if name == event.value]


class FakeBackend:
    def __init__(self, diary: Diary) -> None:
        self.diary = diary
        self.failing: set[str] = set()
        self.hanging: set[str] = set()
        self.gone_by_itself = False
        self.count: int | None = 7
        self.renewed = threading.Event()

    def _do(self, step: str, fault: Fault | None = None) -> None:
        self.diary.lines.append(f"backend.{step}")
        names = {step} if fault is None else {step, f"{step} {fault.id}"}
        if names & self.hanging:
            time.sleep(30)
        if names & self.failing:
            raise FaultError(f"{step} does not work")

    def undo_steps(self, fault):
        return STEPS

    def apply(self, fault):
        self._do("apply", fault)

    def confirm(self, fault):
        self._do("confirm", fault)

    def in_force(self, fault):
        self._do("in_force", fault)
        return not self.gone_by_itself

    def clear(self, fault):
        self._do("clear", fault)

    def prove_clear(self, fault):
        self._do("prove_clear", fault)

    def acted(self, fault):
        self._do("acted", fault)
        return None if self.count is None else Acted(by=ActedBy.PROXY, count=self.count)

    def renew(self, lease_s):
        self.renewed.set()
        self._do("renew")

    def release(self):
        self._do("release")


class FakeGuardian:
    def __init__(self, diary: Diary) -> None:
        self.diary = diary
        self.held: dict[str, tuple] = {}

    def hold(self, fault_id, steps):
        self.diary.lines.append("guardian.hold")
        self.held[fault_id] = steps

    def release(self, fault_id):
        self.diary.lines.append("guardian.release")
        self.held.pop(fault_id, None)

    def renew(self, lease_s):
        pass


@pytest.fixture
def diary():
    return Diary()


@pytest.fixture
def backend(diary):
    return FakeBackend(diary)


@pytest.fixture
def guardian(diary):
    return FakeGuardian(diary)


@pytest.fixture
def injector(diary, backend, guardian):
    return FaultInjector(LANDSCAPE, diary.record, guardian=guardian, backends={Layer.TRANSPORT: backend}, lease_s=60)


def fault(fault_id: str = "dark", at: str = "links.redis", kind: str = "timeout", **parameters) -> Fault:
    return Fault(id=fault_id, at=at, kind=kind, phase="outage", apply_ns=0, clear_ns=1, parameters=parameters)


def test_nothing_is_touched_before_the_journal_and_the_undo_list_know(injector, diary):
    injector.apply(fault())
    assert diary.lines == [
        "fault.requested",
        "guardian.hold",
        "backend.renew",
        "backend.apply",
        "backend.confirm",
        "fault.confirmed",
    ]


def test_a_cleared_fault_is_proved_clear_before_it_is_let_go(injector, diary, guardian):
    injector.apply(fault())
    diary.lines.clear()
    injector.clear("dark")
    assert diary.lines == [
        "backend.in_force",
        "backend.clear",
        "fault.cleared",
        "backend.prove_clear",
        "fault.proved_clear",
        "backend.release",
        "guardian.release",
        "backend.acted",
        "fault.acted",
    ]
    assert diary.of(Event.FAULT_ACTED) == [("dark", {"by": "proxy", "count": 7})]
    assert injector.active() == ()
    assert guardian.held == {}


def test_an_action_that_nobody_can_count_is_journalled_as_unknown_and_not_as_none(injector, diary, backend):
    backend.count = None
    injector.apply(fault())
    injector.clear("dark")
    assert diary.of(Event.FAULT_ACTED) == [("dark", {"by": "proxy", "count": None})]


@pytest.mark.parametrize("step", ["apply", "confirm"])
def test_a_fault_that_cannot_be_applied_is_undone(injector, diary, backend, guardian, step):
    backend.failing = {step}
    with pytest.raises(FaultError, match=f"{step} does not work"):
        injector.apply(fault())
    assert "backend.clear" in diary.lines
    assert "backend.prove_clear" in diary.lines
    assert "fault.confirmed" not in diary.lines
    assert diary.of(Event.FAULT_FAILED) == [("dark", {"step": "apply", "reason": f"{step} does not work"})]
    assert injector.active() == ()
    assert guardian.held == {}


def test_a_fault_that_cannot_be_undone_stays_active_and_with_the_guardian(injector, backend, guardian):
    backend.failing = {"confirm", "clear"}
    with pytest.raises(FaultError) as caught:
        injector.apply(fault())
    assert any("could not be undone" in note for note in caught.value.__notes__)
    assert [each.id for each in injector.active()] == ["dark"]
    assert guardian.held == {"dark": STEPS}


def test_a_surprise_in_a_backend_becomes_a_fault_error_and_is_undone(injector, backend, diary, monkeypatch):
    monkeypatch.setattr(backend, "confirm", lambda _fault: 1 / 0)
    with pytest.raises(FaultError, match="ZeroDivisionError"):
        injector.apply(fault())
    assert "backend.clear" in diary.lines


def test_an_interrupt_in_the_middle_of_an_apply_undoes_it_and_goes_on(injector, backend, diary, monkeypatch):
    def interrupted(_fault):
        raise KeyboardInterrupt

    monkeypatch.setattr(backend, "confirm", interrupted)
    with pytest.raises(KeyboardInterrupt):
        injector.apply(fault())
    assert "backend.prove_clear" in diary.lines
    assert injector.active() == ()


def test_a_journal_that_cannot_be_written_keeps_every_fault_from_being_applied(injector, diary):
    diary.full_disk = True
    with pytest.raises(StorageError):
        injector.apply(fault())
    assert diary.lines == []
    assert injector.active() == ()


def test_a_journal_that_cannot_be_written_never_keeps_a_fault_in_force(injector, diary, guardian):
    injector.apply(fault())
    diary.full_disk = True
    with pytest.raises(StorageError):
        injector.clear("dark")
    assert "backend.prove_clear" in diary.lines
    assert injector.active() == ()
    assert guardian.held == {}


@pytest.mark.parametrize("step", ["clear", "prove_clear"])
def test_a_clear_that_cannot_be_proved_is_told_and_stays_with_the_guardian(injector, diary, backend, guardian, step):
    injector.apply(fault())
    backend.failing = {step}
    with pytest.raises(FaultError, match=f"{step} does not work"):
        injector.clear("dark")
    assert "fault.proved_clear" not in diary.lines
    assert diary.of(Event.FAULT_FAILED) == [("dark", {"step": "clear", "reason": f"{step} does not work"})]
    assert guardian.held == {"dark": STEPS}
    backend.failing = set()
    injector.clear("dark")
    assert injector.active() == ()


def test_a_fault_that_fell_away_by_itself_is_told(injector, diary, backend):
    injector.apply(fault())
    backend.gone_by_itself = True
    injector.clear("dark")
    assert [data["step"] for _, data in diary.of(Event.FAULT_FAILED)] == ["hold"]


def test_a_fault_is_cleared_even_where_its_state_cannot_be_seen_first(injector, diary, backend):
    injector.apply(fault())
    backend.failing = {"in_force"}
    injector.clear("dark")
    assert diary.of(Event.FAULT_FAILED) == []
    assert "fault.proved_clear" in diary.lines


def test_faults_are_cleared_in_reverse_order_whatever_happens_to_one(injector, diary, backend):
    for fault_id, at, kind in [("a", "links.redis", "timeout"), ("b", "links.postgres", "timeout"), ("c", "links.redis", "loss")]:
        injector.apply(fault(fault_id, at, kind))
    backend.failing = {"clear b"}
    troubles = injector.clear_all()
    assert [subject for subject, _ in diary.of(Event.FAULT_CLEARED)] == ["c", "a"]
    assert [str(trouble) for trouble in troubles] == ["clear does not work"]
    assert [each.id for each in injector.active()] == ["b"]


def test_a_backend_that_hangs_costs_its_own_time_and_not_that_of_the_others(injector, diary, backend):
    injector.apply(fault("a"))
    injector.apply(fault("b", "links.postgres"))
    backend.hanging = {"clear b"}
    started = time.monotonic()
    troubles = injector.clear_all(within_s=0.6)
    assert time.monotonic() - started < 5
    assert [subject for subject, _ in diary.of(Event.FAULT_PROVED_CLEAR)] == ["a"]
    assert len(troubles) == 1
    assert "gave up" in str(troubles[0])
    assert [each.id for each in injector.active()] == ["b"]


def test_clearing_everything_where_nothing_is_active_is_no_trouble(injector):
    assert injector.clear_all() == []


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (fault("dark", "links.postgres"), "is in force already"),
        (fault("other", kind="timeout", stream="upstream"), "already under a timeout in that direction"),
        (fault("other", kind="down"), "while the link is down"),
    ],
)
def test_a_fault_that_contradicts_an_active_one_is_refused_untouched(injector, diary, second, words):
    injector.apply(fault())
    before = list(diary.lines)
    with pytest.raises(FaultError, match=words):
        injector.apply(second)
    assert diary.lines == before
    assert [each.id for each in injector.active()] == ["dark"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (fault(at="links.mongo"), "which the target does not offer"),
        (fault(kind="melt"), "kind is 'melt'"),
        (fault(kind="latency"), "latency needs latency"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_before_anything_is_journalled(injector, diary, given, words):
    with pytest.raises(FaultError, match=words):
        injector.apply(given)
    assert diary.lines == []


def test_a_layer_that_the_target_does_not_have_is_refused(diary):
    injector = FaultInjector(LANDSCAPE, diary.record, backends={})
    with pytest.raises(FaultError, match="nothing in this target can apply a transport fault"):
        injector.apply(fault())


def test_clearing_what_is_not_active_is_an_error(injector):
    with pytest.raises(FaultError, match="no fault 'dark' is in force"):
        injector.clear("dark")


def test_a_fault_that_is_cleared_while_it_is_being_applied_does_not_count_as_applied(injector, diary, backend, monkeypatch):
    def confirm(_fault):
        assert injector.clear_all() == []

    monkeypatch.setattr(backend, "confirm", confirm)
    with pytest.raises(FaultError, match="cleared while it was being applied"):
        injector.apply(fault())
    assert "fault.confirmed" not in diary.lines
    assert diary.lines.count("backend.clear") == 2
    assert injector.active() == ()


def test_leases_are_renewed_while_a_fault_is_active_and_no_longer(diary, backend):
    injector = FaultInjector(LANDSCAPE, diary.record, backends={Layer.TRANSPORT: backend}, lease_s=0.06)
    injector.apply(fault())
    backend.renewed.clear()
    assert backend.renewed.wait(5)
    injector.clear("dark")
    backend.renewed.clear()
    assert not backend.renewed.wait(0.2)


def test_a_lease_that_cannot_be_renewed_is_told_once(diary, backend):
    injector = FaultInjector(LANDSCAPE, diary.record, backends={Layer.TRANSPORT: backend}, lease_s=0.03)
    injector.apply(fault())
    backend.failing = {"renew"}
    deadline = time.monotonic() + 5
    while diary.lines.count("backend.renew") < 6 and time.monotonic() < deadline:
        time.sleep(0.01)
    troubles = diary.of(Event.TROUBLE)
    assert len(troubles) == 1
    assert "the lease of transport faults cannot be renewed: renew does not work" in troubles[0][1]["reason"]
    injector.clear_all()


def test_a_rehearsal_tries_each_fault_and_marks_every_entry(injector, diary):
    rehearse(injector, [fault("a"), fault("b", kind="down")])
    assert [subject for subject, _ in diary.of(Event.FAULT_PROVED_CLEAR)] == ["a", "b"]
    assert diary.data
    assert all(data["rehearsal"] is True for _, _, data in diary.data)
    assert injector.active() == ()


def test_no_entry_of_the_run_itself_is_marked_as_a_rehearsal(injector, diary):
    injector.apply(fault())
    injector.clear("dark")
    assert not any("rehearsal" in data for _, _, data in diary.data)


def test_a_rehearsal_names_the_fault_that_cannot_be_done_and_why(injector, backend):
    backend.failing = {"apply b"}
    with pytest.raises(FaultError) as caught:
        rehearse(injector, [fault("a"), fault("b", kind="down"), fault("c", kind="loss")])
    assert "rehearsal: down at links.redis (phase 'outage') cannot be applied: apply does not work" in str(caught.value)
    assert injector.active() == ()


def test_processes_that_a_fault_ended_are_told_from_those_that_died(diary, backend):
    landscape = Landscape(links={}, processes={"worker": None, "postgres": None})  # type: ignore[dict-item]
    injector = FaultInjector(landscape, diary.record, backends={Layer.PROCESS: backend})
    injector.apply(fault("k", "processes.worker", "kill"))
    injector.apply(fault("f", "processes.postgres", "freeze"))
    assert injector.ended_on_purpose() == {"worker"}
    injector.clear_all()
