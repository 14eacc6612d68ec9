"""When a silent stream is cut, by a clock that only goes when it is told to."""

from collections.abc import Callable
from dataclasses import dataclass, field

from reference_service.provider.idle import STALLED_S, IdleWatch


@dataclass
class Called:
    """A timer."""

    when: float
    callback: Callable[[], object]
    off: bool = False

    def cancel(self) -> None:
        self.off = True


@dataclass
class Clock:
    """A loop whose time is set by hand; a timer is late by what is said."""

    now: float = 0.0
    timers: list[Called] = field(default_factory=list)

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], object]) -> Called:
        self.timers.append(Called(when, callback))
        return self.timers[-1]

    def pass_until(self, when: float, *, late_s: float = 0.0) -> None:
        while (due := min((t.when for t in self.timers if not t.off), default=when + 1)) <= when:
            self.now = due + late_s
            timer = next(t for t in self.timers if t.when == due and not t.off)
            timer.off = True
            timer.callback()
        self.now = max(self.now, when)


def watch(clock: Clock) -> tuple[IdleWatch, list[float]]:
    cuts: list[float] = []
    return IdleWatch(clock, 1.5, lambda: cuts.append(clock.now)), cuts


def test_a_read_that_waits_is_cut_at_its_limit_and_not_before():
    clock = Clock()
    idle, cuts = watch(clock)
    clock.pass_until(1.0)
    idle.begins()
    clock.pass_until(2.49)
    assert cuts == []
    clock.pass_until(5.0)
    assert cuts == [2.5]


def test_reads_that_end_in_time_are_never_cut_and_cost_few_timers():
    clock = Clock()
    idle, cuts = watch(clock)
    for tick in range(1000):
        idle.begins()
        clock.pass_until(tick * 0.025)
        idle.ends()
    assert cuts == []
    assert len(clock.timers) <= 1000 * 0.025 / 1.4 + 2


def test_a_client_that_takes_its_time_is_not_the_providers_silence():
    clock = Clock()
    idle, cuts = watch(clock)
    idle.begins()
    clock.pass_until(1.0)
    idle.ends()
    clock.pass_until(60.0)
    assert cuts == []


def test_a_process_that_was_held_up_reads_its_sockets_before_it_blames_the_provider():
    clock = Clock()
    idle, cuts = watch(clock)
    idle.begins()
    clock.pass_until(1.5, late_s=4.0)
    assert cuts == []
    idle.ends()  # what had come meanwhile
    idle.begins()
    clock.pass_until(5.5 + STALLED_S)
    assert cuts == []
    clock.pass_until(8.0)
    assert cuts == [7.0]


def test_a_silence_beside_a_stall_is_cut_after_the_second_look():
    clock = Clock()
    idle, cuts = watch(clock)
    idle.begins()
    clock.pass_until(1.5, late_s=0.2)
    clock.pass_until(3.0)
    assert cuts == [1.7 + STALLED_S]


def test_nothing_is_looked_at_once_it_is_stopped():
    clock = Clock()
    idle, cuts = watch(clock)
    idle.begins()
    idle.stop()
    clock.pass_until(60.0)
    assert cuts == []
