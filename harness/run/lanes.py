"""Work on faults, off the timeline: a process that takes seconds to restart must not hold up everything else.

What concerns one place is done in its order; what concerns different places is done side by side.
"""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

_Job = tuple[Callable[[], None], "Future[None]"]


def lane_of(at: str) -> str:
    """Return the lane of a place: all that breaks one server, by whatever layer, is one after the other."""
    head, _, name = at.partition(".")
    return head if head == "provider" or not name else name


class Lanes:
    """A thread a lane, made when it is first needed. For use from several threads.

    The threads are daemons: work that hangs is left behind and never keeps the harness from ending.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: dict[str, queue.SimpleQueue[_Job]] = {}
        self._unfinished: set[Future[None]] = set()
        self._closed = False

    def do(self, at: str, work: Callable[[], None]) -> "Future[None]":
        """Do something at a place once all that was asked for there before is done; what it raises is in the future."""
        future: Future[None] = Future()
        with self._lock:
            if self._closed:
                future.cancel()
                return future
            self._unfinished.add(future)
            lane = lane_of(at)
            if lane not in self._queues:
                self._queues[lane] = queue.SimpleQueue()
                threading.Thread(target=self._run, args=(self._queues[lane],), name=f"faults-{lane}", daemon=True).start()
            self._queues[lane].put((work, future))
        return future

    def busy(self) -> bool:
        """Return whether anything is being done, or waits to be."""
        with self._lock:
            return bool(self._unfinished)

    def close(self, *, within_s: float) -> bool:
        """Begin nothing more; wait for what has begun. Return whether all of it ended in time. Never raises."""
        with self._lock:
            self._closed = True
            waiting = list(self._unfinished)
        for future in waiting:
            future.cancel()  # only what has not begun
        deadline = time.monotonic() + within_s
        while self.busy() and time.monotonic() < deadline:
            time.sleep(0.01)
        return not self.busy()

    def _run(self, jobs: "queue.SimpleQueue[_Job]") -> None:
        while True:
            work, future = jobs.get()
            if future.set_running_or_notify_cancel():
                try:
                    work()
                except BaseException as error:  # noqa: BLE001 - whoever holds the future is told
                    self._done(future)
                    future.set_exception(error)
                    continue
            self._done(future)
            if not future.cancelled():
                future.set_result(None)

    def _done(self, future: "Future[None]") -> None:
        with self._lock:
            self._unfinished.discard(future)
