"""SIGINT and SIGTERM as an exception in the main thread, once; never in the middle of cleaning up."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from harness.errors import InterruptedRunError


class Interruption:
    """Turns the first signal into an InterruptedRunError and only counts the others.

    Use as a context manager around a run, in the main thread. Inside `shielded()` no exception is raised: clearing
    faults and stopping processes always goes to its end.
    """

    def __init__(self) -> None:
        self.signals: list[int] = []
        self._shields = 0
        self._previous: dict[int, signal.Handlers | None] = {}

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._handle)  # type: ignore[assignment]
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    @property
    def skip_report(self) -> bool:
        """True after a second signal: whoever sent it wants out, but healing is never skipped."""
        return len(self.signals) > 1

    @contextlib.contextmanager
    def shielded(self) -> Iterator[None]:
        """Hold signals back to a count while the block runs."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1

    def raise_if_signalled(self) -> None:
        """Raise InterruptedRunError if a signal came while shielded."""
        if self.signals:
            raise InterruptedRunError(self.signals[0])

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.signals.append(number)
        if self._shields == 0 and len(self.signals) == 1:
            raise InterruptedRunError(number)
