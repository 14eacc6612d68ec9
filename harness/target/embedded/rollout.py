"""Another version of the service beside the present one: one more instance, and a share of the balancer's requests."""

import http.client
import os
import re
import signal
import time
from pathlib import Path

from harness.errors import StackError
from harness.target.embedded import programs
from harness.target.embedded.balancer import OtherVersion
from harness.target.embedded.site import Site, answers

OTHER = "service-other"
"""The name of its process, and what it calls itself."""

KNOWN_WITHIN_S = 0.8
"""The balancer looks every 250 ms whether an instance is ready."""
_END_WITHIN_S = 4.3
_COUNTED = re.compile(
    rb'^http_request_duration_seconds_count\{[^}]*route="/v1/chat/completions"[^}]*\} ([0-9.e+]+)$', re.MULTILINE
)


class EmbeddedRollout:
    """A `Rollout` of the embedded stack. expected: the other version was started, and not ended."""

    def __init__(
        self, site: Site, wiring: programs.Wiring, other: OtherVersion, *, front: str, instances: tuple[str, ...]
    ) -> None:
        self._site = site
        self._wiring = wiring
        self._other = other
        self._front = front
        self._instances = instances
        self.expected = False

    @property
    def traffic(self) -> Path:
        """The directory of the file that deals the requests, as the service's own rollout program takes it."""
        return self._other.file.parent

    @property
    def instances(self) -> tuple[str, ...]:
        """The processes of the present version."""
        return self._instances

    def start(self, *, version: str, defect: str | None) -> None:
        """Start the other version and wait until it is ready and the balancer knows; it gets no request yet."""
        settings = {"SERVICE_VERSION": version}
        if defect is not None:
            settings |= {"SERVICE_DEFECT": defect, "SERVICE_UNDER_TEST": "yes"}
        address = self._other.address
        self.expected = True  # from here on there may be something to end
        programs.start_other_version(self._site, self._wiring, address, name=OTHER, settings=settings)
        self._site.wait(OTHER, lambda: answers(address, "/ready"), within_s=15)
        time.sleep(KNOWN_WITHIN_S)

    def shift(self, percent: int) -> None:
        """Let the other version have so many percent of the requests from now on."""
        try:
            self._other.deal(percent)
        except OSError as error:
            raise StackError(f"the balancer cannot be told: {self._other.file}: {error.strerror}") from error

    def percent(self) -> int:
        """Return how many it has."""
        try:
            return self._other.dealt()
        except (OSError, ValueError) as error:
            raise StackError(f"{self._other.file} cannot be read: {error}") from error

    def answering(self) -> str:
        """Return which instance answers one request through the balancer."""
        return who_answers(self._front)

    def answered(self) -> int:
        """Return how many chat requests the other version has answered, by its own metrics."""
        return answered_by(self._other.address)

    def end(self) -> None:
        """End the other version, once it has answered what it is at; nothing where there is none."""
        if not self.expected:
            return
        self.expected = False
        pid = self._site.supervisor.pid(OTHER)
        if pid is not None and OTHER not in self._site.supervisor.exits():
            os.kill(pid, signal.SIGTERM)
            self._site.wait(OTHER, lambda: self._site.supervisor.exits().get(OTHER), within_s=_END_WITHIN_S, may_end=True)


def who_answers(front: str) -> str:
    """Return what the instance calls itself that answers one request through a balancer. Raises StackError."""
    headers, _ = _get(front, "/live")
    name = headers.get("x-gateway-instance")
    if name is None:
        raise StackError(f"nobody answered GET /live through the balancer at {front}")
    return name


def answered_by(address: str) -> int:
    """Return how many chat requests an instance at `host:port` has answered, by its own metrics. Raises StackError."""
    _, body = _get(address, "/metrics")
    return round(sum(float(count) for count in _COUNTED.findall(body)))


def _get(address: str, path: str) -> tuple[dict[str, str], bytes]:
    """Return headers, by their names in lower case, and body. Raises StackError."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=2.0)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return {name.lower(): value for name, value in response.getheaders()}, response.read()
    except (OSError, http.client.HTTPException) as error:
        raise StackError(f"{address} does not answer GET {path}: {error or type(error).__name__}") from error
    finally:
        connection.close()
