"""What every provider fault is: a value with parameters and a trigger, two places where it may step in, and a count.

The simplest one to learn from: `missing_done.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from harness.model.fault import Parameter, Scalar
from harness.provider.draft import Draft
from harness.provider.faults.trigger import Trigger
from harness.provider.script import Script


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSpec:
    """A checked fault as the control port takes it: parameters have their defaults, the endpoint exists."""

    id: str
    endpoint: str
    kind: str
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    trigger: Mapping[str, Scalar] = field(default_factory=dict)
    seed: int = 0


class Held(Protocol):
    """A call that waits for a fault to let go."""

    def release(self) -> None:
        """Go on."""
        ...


class ProviderFault:
    """A fault that is in force. A kind overrides what it needs of `edit_draft`, `edit_script` and `ended`.

    acted: calls that it really touched, so far; a call that began under it may still be touched once it is lifted.
    held: calls that wait for it, by call id.
    """

    PARAMETERS: ClassVar[tuple[Parameter, ...]] = ()

    def __init__(self, spec: FaultSpec, trigger: Trigger) -> None:
        self.spec = spec
        self.trigger = trigger
        self.acted = 0
        self.held: dict[str, Held] = {}
        self._lifted = False

    def edit_draft(self, draft: Draft) -> None:
        """Change what will be said; not called any more once the draft is refused."""

    def edit_script(self, script: Script) -> None:
        """Change what will be sent. Must put in a `Mark`, or a `Hold`, where it touches the call."""

    def ended(self, call_id: str) -> None:
        """Hear of the end of a call that this fault was triggered for."""

    def holds(self, call_id: str) -> bool:  # noqa: ARG002 - a kind that lets go by itself looks at it
        """Return whether a call that comes to a `Hold` of this fault has to wait there."""
        return not self._lifted

    def lift(self) -> None:
        """Let all held calls go on, and hold no more."""
        self._lifted = True
        for held in list(self.held.values()):
            held.release()

    # Parameters by their type: the table has checked them, so a wrong one here is a bug of ours.

    def integer(self, name: str) -> int:
        """Return an integer parameter."""
        value = self.spec.parameters[name]
        assert isinstance(value, int)
        return value

    def number(self, name: str) -> float:
        """Return a number."""
        value = self.spec.parameters[name]
        assert isinstance(value, int | float)
        return float(value)

    def text(self, name: str) -> str:
        """Return a text parameter."""
        value = self.spec.parameters[name]
        assert isinstance(value, str)
        return value

    def flag(self, name: str) -> bool:
        """Return a boolean parameter."""
        return bool(self.spec.parameters[name])

    def delay_ns(self, name: str) -> int:
        """Return a parameter given in milliseconds as nanoseconds."""
        return round(self.number(name) * 1e6)
