"""When the next bytes of each call are due: one kernel timer for all calls.

A timer a call would cost more than the bytes, and the event loop's timers count whole milliseconds: a fifth of a 5 ms gap.
"""

import ctypes
import heapq
import os
import time
from asyncio import AbstractEventLoop
from typing import Protocol

SLOT_NS = 500_000
"""Moments are rounded up to this: calls that are due together share a wake-up. A whole part of any pace in milliseconds,
so that the gaps of one stream stay even."""

_CLOCK_MONOTONIC = 1
_TFD_TIMER_ABSTIME = 1


class Paced(Protocol):
    """Something that wants to be woken at a moment."""

    def step(self) -> None:
        """Do what is due; a wake-up may come late, and may come when nothing is due."""
        ...


class Schedule:
    """Pure: who is due when. Moments are nanoseconds of one clock, rounded up to SLOT_NS."""

    def __init__(self) -> None:
        self._due: dict[int, list[Paced]] = {}
        self._slots: list[int] = []

    def add(self, due_ns: int, paced: Paced) -> bool:
        """Enter one wake-up; return True when it is now the earliest of all."""
        slot = -(-due_ns // SLOT_NS)
        waiting = self._due.get(slot)
        if waiting is not None:
            waiting.append(paced)
            return False
        self._due[slot] = [paced]
        heapq.heappush(self._slots, slot)
        return self._slots[0] == slot

    def next_ns(self) -> int | None:
        """Return the earliest moment, or None when nobody waits."""
        return self._slots[0] * SLOT_NS if self._slots else None

    def take(self, now_ns: int) -> list[Paced]:
        """Remove and return everybody due at `now_ns`, earliest first, in the order of entry within a slot."""
        taken: list[Paced] = []
        last = now_ns // SLOT_NS
        while self._slots and self._slots[0] <= last:
            taken += self._due.pop(heapq.heappop(self._slots))
        return taken


class _Itimerspec(ctypes.Structure):
    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


class Pacer:
    """Wakes calls at their moments of CLOCK_MONOTONIC, in time to about 0.6 ms while the processor keeps up.

    late_max_ns: the latest wake-up so far; steps: how many there were.
    """

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._schedule = Schedule()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._spec = _Itimerspec()
        self._descriptor = self._libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), "timerfd")
        self.late_max_ns = 0
        self.steps = 0
        loop.add_reader(self._descriptor, self._fire)

    def at(self, due_ns: int, paced: Paced) -> None:
        """Wake `paced` at `due_ns`; at once if that has passed."""
        if self._schedule.add(due_ns, paced):
            self._arm()

    def close(self) -> None:
        """Stop waking anybody."""
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)

    def _arm(self) -> None:
        # Setting the timer also takes back its readiness, so that nobody need read it. 0 disarms it.
        self._spec.value_s, self._spec.value_ns = divmod(self._schedule.next_ns() or 0, 1_000_000_000)
        self._libc.timerfd_settime(self._descriptor, _TFD_TIMER_ABSTIME, ctypes.byref(self._spec), None)

    def _fire(self) -> None:
        earliest = self._schedule.next_ns()
        now_ns = time.monotonic_ns()
        if earliest is not None:
            self.late_max_ns = max(self.late_max_ns, now_ns - earliest)
        # Only what was due on entry: sockets get their turn between two rounds however far behind we are.
        taken = self._schedule.take(now_ns)
        self.steps += len(taken)
        for paced in taken:
            try:
                paced.step()
            except Exception as error:  # noqa: BLE001 - a bug in one call must not take the others of its slot along
                self._loop.call_exception_handler({"message": "a simulated call broke", "exception": error})
        self._arm()
