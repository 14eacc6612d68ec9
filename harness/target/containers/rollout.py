"""Another version of the service beside the present one: one more container, and a share of the balancer's requests."""

import contextlib
import io
import tarfile
import time

from harness.errors import StackError
from harness.faults.engine import EngineError
from harness.target.containers.site import ContainerSite
from harness.target.containers.topology import INSTANCES, SERVICE_PORT, SHARE, Topology
from harness.target.embedded.balancer import percent_of, text_of
from harness.target.embedded.rollout import OTHER, answered_by, who_answers
from harness.target.embedded.site import answers

_READY_WITHIN_S = 30.0
_END_WITHIN_S = 9.0
_KNOWN_WITHIN_S = 8.0
"""Longer than among processes: its name is new to the balancer. After 0.8 s it refused, three times of three; after 3 s, right
behind other faults, seven times of ten; after 8 s not once."""
_BALANCER = "balancer"


class ContainerRollout:
    """A `Rollout` of the stack of containers. expected: the other version was started, and not ended."""

    def __init__(self, site: ContainerSite, parts: Topology) -> None:
        self._site = site
        self._parts = parts
        self.expected = False

    @property
    def instances(self) -> tuple[str, ...]:
        """The containers of the present version."""
        return tuple(INSTANCES.values())

    def start(self, *, version: str, defect: str | None) -> None:
        """Start the other version and wait until it is ready and the balancer knows; it gets no request yet."""
        settings = {"SERVICE_VERSION": version}
        if defect is not None:
            settings |= {"SERVICE_DEFECT": defect, "SERVICE_UNDER_TEST": "yes"}
        self.expected = True  # from here on there may be something to end
        self._site.start(self._parts.other_version(settings))
        self._site.wait(OTHER, lambda: answers(self._address, "/ready"), within_s=_READY_WITHIN_S)
        time.sleep(_KNOWN_WITHIN_S)

    def shift(self, percent: int) -> None:
        """Let the other version have so many percent of the requests from now on."""
        # Not by the engine's own way to write files: it removes the old before it writes the new, and Caddy reads meanwhile.
        command = ["sh", "-c", f'printf %s "$1" > {SHARE}.new && mv {SHARE}.new {SHARE}', "sh", text_of(percent)]
        code, said = self._site.engine.execute(self._id(_BALANCER), command)
        if code != 0:
            raise StackError(f"the balancer cannot be told: {SHARE} in its container: {said.strip()[:200]} (exit code {code})")

    def percent(self) -> int:
        """Return how many it has."""
        try:
            archive = self._site.engine.ask_raw("GET", f"/containers/{self._id(_BALANCER)}/archive", query={"path": str(SHARE)})
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                member = tar.extractfile(SHARE.name)
                assert member is not None, "the engine sends what was asked for, a file"
                return percent_of(member.read().decode("ascii"))
        except (tarfile.TarError, KeyError, ValueError) as error:
            raise StackError(f"{SHARE} in the balancer's container cannot be read: {error}") from error

    def answering(self) -> str:
        """Return which instance answers one request through the balancer."""
        return who_answers(self._site.address(_BALANCER, SERVICE_PORT))

    def answered(self) -> int:
        """Return how many chat requests the other version has answered, by its own metrics."""
        return answered_by(self._address)

    def end(self) -> None:
        """End the other version, once it has answered what it is at, and remove its container; nothing where there is none."""
        if not self.expected:
            return
        self.expected = False
        if OTHER not in self._site.handles():
            return
        with contextlib.suppress(EngineError):  # it has ended already
            self._site.engine.ask("POST", f"/containers/{self._id(OTHER)}/kill", query={"signal": "SIGTERM"})
        deadline = time.monotonic() + _END_WITHIN_S
        while (late := self._site.state(OTHER)["Running"]) and time.monotonic() < deadline:
            time.sleep(0.05)
        self._site.keep_log(OTHER)
        self._site.forget(OTHER)
        if late:
            raise StackError(f"container {OTHER} was told to end, had not done so after {_END_WITHIN_S:.0f} s, and was removed")

    @property
    def _address(self) -> str:
        return self._site.address(OTHER, SERVICE_PORT)

    def _id(self, name: str) -> str:
        return self._site.handles()[name].container_id
