"""A process that may run only a share of the time: stopped and let go, over and over."""

import signal
import threading
from collections.abc import Callable

from harness.errors import FaultError
from harness.faults.procfs import Bound, lives, send


class Starving:
    """Stops processes and lets them go, in a thread of its own, until `stop`. stops: how often they were stopped.

    processes: asked each time, since a server starts and ends processes of its own.
    """

    def __init__(self, processes: Callable[[], list[Bound]], *, share: float, period_s: float) -> None:
        self._processes, self._run_s, self._stand_s = processes, share * period_s, (1 - share) * period_s
        self._ended = threading.Event()
        self.stops = 0
        self.failure: str | None = None
        self._thread = threading.Thread(target=self._go_on, name="fault-starving", daemon=True)

    def begin(self) -> None:
        """Start."""
        self._thread.start()

    def goes_on(self) -> bool:
        """Return whether it is still at it."""
        return self._thread.is_alive() and self.failure is None

    def stop(self) -> None:
        """Let them go for good."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(self._run_s + self._stand_s + 1.0)

    def _go_on(self) -> None:
        while not self._ended.is_set():
            stopped = self._processes()
            try:
                self._send(stopped, signal.SIGSTOP)
                self.stops += 1
                self._ended.wait(self._stand_s)
            except FaultError as error:
                self.failure = error.message
            finally:
                self._let_go(stopped)
            if self.failure is not None or self._ended.wait(self._run_s):
                return

    def _let_go(self, stopped: list[Bound]) -> None:
        try:
            self._send(stopped, signal.SIGCONT)
        except FaultError as error:
            self.failure = error.message

    @staticmethod
    def _send(processes: list[Bound], number: signal.Signals) -> None:
        for process in processes:
            try:
                send(process, number)
            except FaultError:
                if lives(process):
                    raise
