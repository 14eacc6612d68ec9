"""Work that may hang, done within a time that may not."""

import threading
import time
from collections.abc import Callable

from harness.errors import FaultError


def run_bounded(work: Callable[[], None], within_s: float) -> tuple[Exception | None, float]:
    """Return the error of `work`, or None, and the seconds that it took; FaultError where it did not end in time.

    Work that hangs is left behind in a daemon thread: it cannot be stopped, but nobody waits for it.
    """
    raised: list[Exception] = []

    def guarded() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the loop that clears faults goes on whatever one of them does
            raised.append(error)

    started = time.monotonic()
    thread = threading.Thread(target=guarded, name="fault-bounded", daemon=True)
    thread.start()
    thread.join(within_s)
    took_s = time.monotonic() - started
    if thread.is_alive():
        return FaultError(f"gave up after {took_s:.1f} s"), took_s
    return (raised[0] if raised else None), took_s
