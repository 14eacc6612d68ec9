"""The target's own metrics, fetched while it is loaded: `metrics/scrapes.jsonl`, one line a scrape and instance.

A scrape that fails is written down with its reason, and the run goes on: under a fault an instance may well be silent.
"""

import contextlib
import http.client
import threading
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from harness.errors import HarnessError
from harness.model.plan import Clock
from harness.model.target import Instance
from harness.rundir import RunDirectory
from harness.rundir.scrapes import Scrape

EVERY_S = 5.0
WITHIN_S = 1.5
MOST_BYTES = 2 << 20


class Scraper:
    """Fetches from every instance that has metrics: at the start, every few seconds, and once more at the end."""

    def __init__(self, instances: Sequence[Instance], run: RunDirectory, clock: Clock) -> None:
        self._instances = [instance for instance in instances if instance.metrics is not None]
        self._run, self._zero_ns = run, clock.zero_monotonic_ns
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="scraper", daemon=True)

    def begin(self) -> None:
        """Scrape now, and from now on."""
        if self._instances:
            self._thread.start()

    def close(self) -> None:
        """Scrape once more, and no more after that. Never raises."""
        if self._thread.is_alive():
            self._stop.set()
            self._thread.join(EVERY_S + WITHIN_S * len(self._instances) * 2)

    def _go_on(self) -> None:
        with contextlib.suppress(HarnessError):  # a full disk: the journal and the samples will say so
            while True:
                for instance in self._instances:
                    self._run.append_scrape(scrape(instance, self._zero_ns))
                if self._stop.wait(EVERY_S):
                    break
            for instance in self._instances:
                self._run.append_scrape(scrape(instance, self._zero_ns))


def scrape(instance: Instance, zero_ns: int) -> Scrape:
    """Return what an instance says of itself now, or why it says nothing."""
    parts = urlsplit(instance.base_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=WITHIN_S)
    at_ns = time.monotonic_ns() - zero_ns
    text, problem = "", None
    try:
        connection.request("GET", parts.path.rstrip("/") + (instance.metrics or "/metrics"))
        response = connection.getresponse()
        data = response.read(MOST_BYTES + 1)
        if response.status != 200:
            problem = f"status {response.status}"
        elif len(data) > MOST_BYTES:
            problem = f"more than {MOST_BYTES >> 20} MB"
        else:
            text = data.decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        problem = f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    return Scrape(at_ns=at_ns, instance=instance.name, text=text, problem=problem)
