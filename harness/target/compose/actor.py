"""What checks have done on the compose stack: what its engine, its database and the service's interface can do.

Not its features, and no roll-out: the instances read no file of flags, and the balancer no share. Whoever keeps the project
changes these, with its file.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from harness.errors import StackError
from harness.faults.engine import EngineError
from harness.model.probe import Action, ActionDone
from harness.target.compose.project import Project
from harness.target.operating.actor import ReferenceActor
from harness.target.operating.backups import Backups
from harness.target.operating.instances import Instances
from harness.target.operating.operators import Operators
from harness.target.operating.programs import OperatorPrograms

NOT_HERE = frozenset({"set-feature", "kill-feature", "roll-out"})
_POLL_S = 0.02


class ComposeHands:
    """`InstanceHands` by the engine. await_ready: returns once a part that was started answers, or raises StackError."""

    def __init__(self, project: Project, await_ready: Callable[[str], None]) -> None:
        self._project = project
        self._await_ready = await_ready

    def runs(self, name: str) -> bool:
        """Return whether the container runs."""
        return bool(self._state(name)["Running"])

    def end(self, name: str, within_s: float) -> int | None:
        """Send SIGTERM to what runs in it; the file says `restart: "no"`, so that it stays ended."""
        try:
            self._project.engine.ask("POST", f"{self._place(name)}/kill", query={"signal": "SIGTERM"})
        except EngineError as error:
            raise StackError(f"{name} could not be told to end: {error.message}") from error
        deadline = time.monotonic() + within_s
        while (state := self._state(name))["Running"]:
            if time.monotonic() > deadline:
                return None
            time.sleep(_POLL_S)
        return int(state["ExitCode"])

    def start_again(self, name: str) -> None:
        """Start the container as compose made it."""
        self._project.engine.ask("POST", f"{self._place(name)}/start")
        self._await_ready(name)

    def _state(self, name: str) -> Mapping[str, Any]:
        state: Mapping[str, Any] = self._project.engine.ask("GET", f"{self._place(name)}/json")["State"]
        return state

    def _place(self, name: str) -> str:
        return f"/containers/{self._project.found[name]['Id']}"


class ComposeActor:
    """An `Actor` of a project that stays up. keys: user to API key, secret. names: user to the name in the project's database."""

    def __init__(
        self,
        hands: ComposeHands,
        programs: OperatorPrograms,
        *,
        keys: Mapping[str, str],
        names: Mapping[str, str],
        base_url: str,
    ) -> None:
        self._hands = hands
        self._instances = Instances(hands)
        self._does: Mapping[str, Callable[[Action], ActionDone]] = {
            **Operators(programs, keys=keys, names=names, base_url=base_url).does,
            **Backups(programs).does,
            **self._instances.does,
        }

    @staticmethod
    def capabilities() -> frozenset[str]:
        """Return what can be done here, as an offer names it."""
        return ReferenceActor.capabilities() - {f"actions.{name}" for name in NOT_HERE}

    def act(self, action: Action) -> ActionDone:
        """Do what a check asks for. Raises StackError."""
        does = self._does.get(action.does)
        if does is None:
            raise StackError(f"the compose stack cannot {action.does!r}; it can {', '.join(self._does)}")
        return does(action)

    def ended_on_purpose(self) -> frozenset[str]:
        """Return the instances that an action has ended and none has started again."""
        return self._instances.ended_on_purpose()

    def put_back(self) -> None:
        """Start every instance that an action has ended and none has started: the stack is somebody's, and stays up."""
        for name in sorted(self.ended_on_purpose()):
            if not self._hands.runs(name):
                self._hands.start_again(name)
