"""An instance ended and started as a check asks for it: by whoever has hands on the stack."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from harness.errors import StackError
from harness.model.probe import Action, ActionDone

_STOPS_WITHIN_S = 9.0
_INSTANCES = ("service-a", "service-b")


class InstanceHands(Protocol):
    """What differs with how instances are run. Every method raises StackError."""

    def runs(self, name: str) -> bool:
        """Return whether an instance runs."""

    def end(self, name: str, within_s: float) -> int | None:
        """Send SIGTERM to an instance; return its exit code, None where it has not ended in that time."""

    def start_again(self, name: str) -> None:
        """Start an instance that has ended, and wait until it is ready."""


class Instances:
    """Both actions, and who was ended by them."""

    def __init__(self, hands: InstanceHands) -> None:
        self._hands = hands
        self._lock = threading.Lock()
        self._ended: set[str] = set()
        self.does: Mapping[str, Callable[[Action], ActionDone]] = {
            "drain-instance": self._drain_instance,
            "start-instance": self._start_instance,
        }
        """By the names that checks call them by."""

    def ended_on_purpose(self) -> frozenset[str]:
        """Return the instances that an action has ended and none has started again."""
        with self._lock:
            return frozenset(self._ended)

    def _drain_instance(self, action: Action) -> ActionDone:
        """Send SIGTERM to an instance and wait until it has ended."""
        name = _instance(action)
        if not self._hands.runs(name):
            raise StackError(f"{name} does not run")
        with self._lock:
            self._ended.add(name)
        began = time.monotonic()
        code = self._hands.end(name, _STOPS_WITHIN_S)
        took_ms = None if code is None else round((time.monotonic() - began) * 1e3)
        return ActionDone(told={"instance": name, "exit_code": code, "took_ms": took_ms})

    def _start_instance(self, action: Action) -> ActionDone:
        name = _instance(action)
        if self._hands.runs(name):
            raise StackError(f"{name} runs already")
        began = time.monotonic()
        self._hands.start_again(name)
        with self._lock:
            self._ended.discard(name)
        return ActionDone(told={"instance": name, "took_ms": round((time.monotonic() - began) * 1e3)})


def _instance(action: Action) -> str:
    name = f"service-{action.arguments.get('instance', '')}"
    if name not in _INSTANCES:
        raise StackError(f"{action.does}: there is no instance {name!r}; there are {', '.join(_INSTANCES)}")
    return name
