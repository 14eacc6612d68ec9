"""What checks have done on the compose stack: what its engine, its database and the service's interface can do.

Not its features, and no roll-out: the instances read no file of flags, and the balancer no share. Whoever keeps the project
changes these, with its file. Nor what its store counts, which is published through the Toxiproxy alone.
"""

from collections.abc import Callable, Mapping

from harness.target.compose.project import Project
from harness.target.operating.actor import OperatingActor, ReferenceActor
from harness.target.operating.by_engine import InstancesByEngine
from harness.target.operating.instances import InstanceHands
from harness.target.operating.programs import OperatorPrograms

STACK = "the compose stack"
NOT_HERE = frozenset({"set-feature", "kill-feature", "roll-out", "fill-global-window"})


def compose_hands(project: Project, await_ready: Callable[[str], None]) -> InstancesByEngine:
    """Return hands on the instances of a project, whose file says `restart: "no"`: what was ended stays ended."""
    return InstancesByEngine(project.engine, lambda name: str(project.found[name]["Id"]), await_ready)


class ComposeActor(OperatingActor):
    """An `Actor` of a project that stays up. names: user to the name in the project's database."""

    def __init__(
        self,
        hands: InstanceHands,
        programs: OperatorPrograms,
        *,
        keys: Mapping[str, str],
        names: Mapping[str, str],
        base_url: str,
    ) -> None:
        super().__init__(STACK, hands, programs, keys=keys, names=names, base_url=base_url)
        self._hands = hands

    @staticmethod
    def capabilities() -> frozenset[str]:
        """Return what can be done here, as an offer names it."""
        return ReferenceActor.capabilities() - {f"actions.{name}" for name in NOT_HERE}

    def put_back(self) -> None:
        """Start every instance that an action has ended and none has started: the stack is somebody's, and stays up."""
        for name in sorted(self.ended_on_purpose()):
            if not self._hands.runs(name):
                self._hands.start_again(name)
