"""An instance that is a container, ended and started by its engine."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from harness.errors import StackError
from harness.faults.engine import Engine, EngineError

_POLL_S = 0.02


class InstancesByEngine:
    """`InstanceHands` of containers. id_of: an instance's container.

    await_ready: returns once an instance that was started answers, or raises StackError.
    """

    def __init__(self, engine: Engine, id_of: Callable[[str], str], await_ready: Callable[[str], None]) -> None:
        self._engine = engine
        self._id_of = id_of
        self._await_ready = await_ready

    def runs(self, name: str) -> bool:
        """Return whether the container runs."""
        return bool(self._state(name)["Running"])

    def end(self, name: str, within_s: float) -> int | None:
        """Send SIGTERM to what runs in it; it was made to stay ended."""
        try:
            self._engine.ask("POST", f"{self._place(name)}/kill", query={"signal": "SIGTERM"})
        except EngineError as error:
            raise StackError(f"{name} could not be told to end: {error.message}") from error
        deadline = time.monotonic() + within_s
        while (state := self._state(name))["Running"]:
            if time.monotonic() > deadline:
                return None
            time.sleep(_POLL_S)
        return int(state["ExitCode"])

    def start_again(self, name: str) -> None:
        """Start the container as it was made."""
        self._engine.ask("POST", f"{self._place(name)}/start")
        self._await_ready(name)

    def _state(self, name: str) -> Mapping[str, Any]:
        state: Mapping[str, Any] = self._engine.ask("GET", f"{self._place(name)}/json")["State"]
        return state

    def _place(self, name: str) -> str:
        return f"/containers/{self._id_of(name)}"
