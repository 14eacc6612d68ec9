from hypothesis import given
from hypothesis import strategies as st

from harness.provider.pacing import SLOT_NS, Schedule

MOMENTS = st.lists(st.integers(0, 50_000_000), max_size=60)


class Call:
    def step(self) -> None:
        raise AssertionError("the schedule wakes nobody by itself")


def test_nobody_waits_in_an_empty_schedule():
    schedule = Schedule()
    assert schedule.next_ns() is None
    assert schedule.take(1 << 60) == []


def test_a_call_is_never_woken_before_its_moment():
    schedule = Schedule()
    call = Call()
    schedule.add(SLOT_NS + 1, call)
    assert schedule.take(SLOT_NS + 1) == []
    assert schedule.next_ns() == 2 * SLOT_NS
    assert schedule.take(2 * SLOT_NS) == [call]


def test_a_moment_that_has_passed_is_due_at_once():
    schedule = Schedule()
    schedule.add(10 * SLOT_NS, Call())
    assert schedule.add(3, Call()) is True
    assert len(schedule.take(5 * SLOT_NS)) == 1


def test_only_a_new_earliest_moment_sets_the_timer():
    schedule = Schedule()
    assert schedule.add(20 * SLOT_NS, Call()) is True
    assert schedule.add(20 * SLOT_NS, Call()) is False
    assert schedule.add(30 * SLOT_NS, Call()) is False
    assert schedule.add(10 * SLOT_NS, Call()) is True


@given(MOMENTS, st.integers(0, 60_000_000))
def test_everybody_is_woken_once_in_order_and_less_than_a_slot_late(moments, halfway):
    schedule = Schedule()
    calls = {}
    for due_ns in moments:
        call = Call()
        calls[call] = due_ns
        schedule.add(due_ns, call)
    early = schedule.take(halfway)
    late = schedule.take(1 << 60)
    assert sorted(map(id, early + late)) == sorted(map(id, calls))
    assert all(calls[call] <= halfway for call in early)
    assert all(calls[call] > halfway - SLOT_NS for call in late)
    slots = [-(-calls[call] // SLOT_NS) for call in early + late]
    assert slots == sorted(slots)
