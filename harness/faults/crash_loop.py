"""A process that dies again as soon as it is up."""

import threading
from collections.abc import Callable

from harness.errors import FaultError, HarnessError


class CrashLoop:
    """Kills, waits, starts, waits, and kills again, in a thread of its own, until `stop`.

    kill, start: what to do, each until it is done. deaths: how often it was killed.
    """

    def __init__(self, kill: Callable[[], None], start: Callable[[], None], *, down_s: float, up_s: float) -> None:
        self._kill, self._start, self._down_s, self._up_s = kill, start, down_s, up_s
        self._ended = threading.Event()
        self.deaths = 0
        self.failure: str | None = None
        self._thread = threading.Thread(target=self._run, name="fault-crash-loop", daemon=True)

    def begin(self) -> None:
        """Kill it for the first time, then go on with that. Raises what `kill` raises."""
        self._kill()
        self.deaths = 1
        self._thread.start()

    def goes_on(self) -> bool:
        """Return whether it is still at it: false once it could not kill or start."""
        return self._thread.is_alive() and not self._ended.is_set()

    def stop(self, *, within_s: float) -> None:
        """Kill no more; what is being started is waited for. Raises FaultError where that takes too long."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(within_s)
        if self._thread.is_alive():
            raise FaultError(f"the process is still being started after {within_s:.0f} s")

    def _run(self) -> None:
        while not self._ended.wait(self._down_s):
            try:
                self._start()
                if self._ended.wait(self._up_s):
                    return
                self._kill()
            except HarnessError as error:  # whoever clears the fault starts the process, and is told why that fails
                self.failure = error.message
                return
            self.deaths += 1
