"""A fault as a value, and the specification that each kind of fault is checked against.

The kinds themselves stand in `harness.model.fault_kinds`, one file each.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Scalar = str | int | float | bool


class Layer(enum.StrEnum):
    """Where in the stack a fault acts; a backend serves one layer."""

    TRANSPORT = "transport"  # on a link, by a Toxiproxy
    PROVIDER = "provider"  # HTTP, stream and payload, by the simulated provider
    PROCESS = "process"  # by signals, or by the container engine
    DEPENDENCY = "dependency"  # by the store or the database itself
    RESOURCE = "resource"  # by a process of our own that takes what others need
    CLOCK = "clock"  # by moving the wall clock of a process, or what a database takes for now
    DEPLOY = "deploy"  # by starting another version and dealing requests to it
    COMMAND = "command"  # by commands of the user's own
    EXTENSION = "extension"  # by code of a plug-in


class ActedBy(enum.StrEnum):
    """Whose records prove that a fault really acted."""

    PROXY = "proxy"
    PROVIDER = "provider"
    TARGET = "target"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a fault kind: `unit` is shown to people, `low` and `high` are inclusive.

    default None with required False means "left to the backend".
    choices: the allowed values of a text parameter; empty allows any.
    """

    name: str
    type: type[int] | type[float] | type[str] | type[bool]
    doc: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    default: Scalar | None = None
    required: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """What a kind of fault is: its parameters, where it may act and who can prove that it did.

    places: glob patterns over `at` (`provider.*`, `links.*`, `processes.*`).
    backend: of a plug-in's kind, what makes its backend from the landscape of a running target; source: where the plug-in is.
    """

    kind: str
    title: str
    layer: Layer
    places: tuple[str, ...]
    acted_by: ActedBy
    parameters: tuple[Parameter, ...] = ()
    backend: Callable[..., object] | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of a plan: what, where and when.

    at: `provider.primary`, `links.redis`, `processes.service-a`.
    apply_ns, clear_ns: moments from the run's zero.
    expects_action: a fault that is expected to act and never did makes the run invalid.
    """

    id: str
    at: str
    kind: str
    phase: str
    apply_ns: int
    clear_ns: int
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    seed: int = 0
    expects_action: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """Proof that a fault touched something: how often, by whose records.

    count: None where these records cannot tell (the real Toxiproxy keeps none), which is not 0.
    """

    by: ActedBy
    count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRecord:
    """What became of a fault, each step with its moment from the run's zero (None: did not happen)."""

    id: str
    kind: str
    at: str
    phase: str
    requested_ns: int | None
    confirmed_ns: int | None
    cleared_ns: int | None
    proved_clear_ns: int | None
    acted: Acted | None
    expects_action: bool = True
