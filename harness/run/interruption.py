"""SIGINT, SIGTERM and a deadline as an exception in the main thread, once; never in the middle of cleaning up."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from harness.errors import AbortedError, InterruptedRunError


class Interruption:
    """Turns the first signal into an InterruptedRunError and only counts the others.

    Use as a context manager around a run, in the main thread. Inside `shielded()` no exception is raised: clearing
    faults and stopping processes always goes to its end.

    reports: whether a run that the first signal ends is still judged and reported.
    """

    def __init__(self, *, reports: bool = True) -> None:
        self._reports = reports
        self.signals: list[int] = []
        self.late: str | None = None
        self._shields = 0
        self._previous: dict[int, signal.Handlers | None] = {}

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._handle)  # type: ignore[assignment]
        return self

    def end_after(self, seconds: float, told: str) -> None:
        """End what runs with an AbortedError after so long, as a signal would: healed, judged and reported.

        told: how the deadline was written. Once passed, `late` says so, for whoever would start something more.
        """

        def passed(_number: int, _frame: FrameType | None) -> None:
            self.late = f"the deadline of {told} has passed"
            if self._shields == 0 and not self.signals:
                raise AbortedError(self.late)

        self._previous[signal.SIGALRM] = signal.signal(signal.SIGALRM, passed)  # type: ignore[assignment]
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def __exit__(self, *_: object) -> None:
        if signal.SIGALRM in self._previous:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    @property
    def skip_report(self) -> bool:
        """True after a second signal: whoever sent it wants out, but healing is never skipped."""
        return len(self.signals) > (1 if self._reports else 0)

    @contextlib.contextmanager
    def shielded(self) -> Iterator[None]:
        """Hold signals back to a count while the block runs."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1

    def raise_if_signalled(self) -> None:
        """Raise InterruptedRunError if a signal came while shielded. A deadline that passed then found the run at its end."""
        if self.signals:
            raise InterruptedRunError(self.signals[0])

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.signals.append(number)
        if self._shields == 0 and len(self.signals) == 1:
            raise InterruptedRunError(number)
