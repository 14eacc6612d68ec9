"""Renews leases while faults are in force, so that they fall away when this process no longer can."""

import threading
from collections.abc import Callable, Mapping

from harness.errors import HarnessError

Renewals = Mapping[str, Callable[[float], None]]
"""What is to be renewed, by a name for people; each takes the seconds that it is to last."""


class Leases:
    """Calls every renewal three times a lease, in a thread of its own, until `stop`.

    renewals: asked each time, since faults come and go. report: told (name, reason) when a renewal begins to fail,
    once until it works again.
    """

    def __init__(self, renewals: Callable[[], Renewals], lease_s: float, report: Callable[[str, str], None]) -> None:
        self._renewals = renewals
        self._lease_s = lease_s
        self._report = report
        self._failing: set[str] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fault-leases", daemon=True)

    def start(self) -> None:
        """Begin; the first renewals follow after a third of the lease."""
        self._thread.start()

    def stop(self) -> None:
        """End. A renewal that hangs is not waited for longer than a moment."""
        self._ended.set()
        self._thread.join(timeout=0.2)

    def _run(self) -> None:
        while not self._ended.wait(self._lease_s / 3):
            for name, renew in self._renewals().items():
                self._renew(name, renew)

    def _renew(self, name: str, renew: Callable[[float], None]) -> None:
        try:
            renew(self._lease_s)
        except HarnessError as error:
            if name not in self._failing and not self._ended.is_set():
                self._failing.add(name)
                self._report(name, error.message)
        else:
            self._failing.discard(name)
