"""Waking at an exact nanosecond: a timerfd on gevent's loop, because its own timers round up to milliseconds."""

import ctypes
import os
import time

import gevent
from gevent.hub import get_hub

_ABSOLUTE = 1  # TFD_TIMER_ABSTIME
_NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC
_LIBC = ctypes.CDLL(None, use_errno=True)


class _Itimerspec(ctypes.Structure):
    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


class Alarm:
    """Wakes one greenlet at moments of CLOCK_MONOTONIC. Close it when done."""

    def __init__(self) -> None:
        self._fd = _LIBC.timerfd_create(time.CLOCK_MONOTONIC, _NONBLOCK_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._setting = _Itimerspec()
        self._hub = get_hub()
        self._watcher = self._hub.loop.io(self._fd, 1)
        self._watcher.priority = self._hub.loop.MAXPRI

    def wait_until(self, monotonic_ns: int) -> bool:
        """Return at the given moment, or at once where it has passed; return whether there was anything to wait for."""
        if monotonic_ns <= time.monotonic_ns():
            return False
        self._setting.value_s, self._setting.value_ns = divmod(monotonic_ns, 1_000_000_000)
        if _LIBC.timerfd_settime(self._fd, _ABSOLUTE, ctypes.byref(self._setting), None) != 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")
        self._watcher.start(gevent.getcurrent().switch)
        try:
            self._hub.switch()
        finally:
            self._watcher.stop()
        return True

    def close(self) -> None:
        """Give the descriptor back."""
        if self._fd >= 0:
            self._watcher.stop()
            self._watcher.close()
            os.close(self._fd)
            self._fd = -1
