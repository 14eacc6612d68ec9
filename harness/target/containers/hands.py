"""Acting on the stack of containers: an instance is ended and started by the engine, files are changed where they lie."""

import time
from collections.abc import Sequence

from harness.errors import StackError
from harness.model.target import Dependency
from harness.target.containers.part import IMAGE_USER, SECRETS
from harness.target.containers.rollout import ContainerRollout
from harness.target.containers.site import ContainerSite
from harness.target.containers.topology import FLAGS, INSTANCES, ROLLOUT, SERVICE_PORT, Topology
from harness.target.embedded.rollout import OTHER
from harness.target.embedded.site import answers
from harness.target.operating.by_engine import InstancesByEngine
from harness.target.operating.programs import OperatorPrograms

_READY_WITHIN_S = 30.0
_POLL_S = 0.02


STACK = "the stack of containers"


class ContainerHands(InstancesByEngine):
    """`Hands` of containers."""

    stack = STACK
    balancer = SECRETS
    """In the balancer's container, whose volume the rollout program's container shares."""

    def __init__(self, site: ContainerSite, parts: Topology, rollout: ContainerRollout, operators: OperatorPrograms) -> None:
        super().__init__(site.engine, lambda name: site.handles()[name].container_id, self._ready)
        self._site = site
        self._parts = parts
        self._operators = operators
        self.rollout = rollout

    @property
    def store(self) -> Dependency:
        """The store of the service's counters, at its published port."""
        return self._parts.dependencies(self._site.address)["dependencies.redis"]

    def run_rollout(self, arguments: Sequence[str], within_s: float) -> tuple[int, str] | None:
        """Run the program in a container of its own, beside the balancer's files and in reach of every instance."""
        self._site.start(self._parts.rollout(arguments))
        try:
            deadline = time.monotonic() + within_s
            while (state := self._site.state(ROLLOUT))["Running"] or state["Status"] == "created":
                if time.monotonic() > deadline:
                    return None
                time.sleep(_POLL_S)
            self._site.keep_log(ROLLOUT)
            return int(state["ExitCode"]), self._site.log(ROLLOUT).read_text(encoding="utf-8")
        finally:
            self._site.forget(ROLLOUT)

    def change_features(self, *what: str) -> None:
        """Change a file here, and put it in the place of each instance's and the worker's, as their own user.

        The program is run once and not in each container, where its start takes a second, one after another.
        """
        file = self._operators.directory() / "flags.json"
        self._operators.run("reference_service.operations.features", "--file", str(file), *what)
        place = f"{SECRETS}/{FLAGS}"
        # A new file under the old name: whoever reads sees the old flags or the new ones.
        command = ["sh", "-c", f'printf %s "$1" > {place}.new && mv {place}.new {place}', "sh", file.read_text(encoding="utf-8")]
        states = self._site.states()
        for name in (*INSTANCES.values(), OTHER, "worker"):
            if states.get(name) == "running":
                code, said = self._site.engine.execute(self._id_of(name), command, user=f"{IMAGE_USER}:{IMAGE_USER}")
                if code != 0:
                    raise StackError(f"the features of {name} could not be changed ({code}): {said.strip()[-300:]}")

    def _ready(self, name: str) -> None:
        address = self._site.address(name, SERVICE_PORT)
        self._site.wait(name, lambda: answers(address, "/ready"), within_s=_READY_WITHIN_S)
