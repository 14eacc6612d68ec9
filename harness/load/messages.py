"""What goes over Locust's message channel, each sealed. A worker's conversation begins with `hello` and `welcome`.

worker -> master   hello, clock, ready, armed, rows, ended      master -> worker   welcome, clock, go, kept, stop
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

HELLO, WELCOME, CLOCK, READY, ARMED = "harness.hello", "harness.welcome", "harness.clock", "harness.ready", "harness.armed"
GO, ROWS, KEPT, ENDED, STOP = "harness.go", "harness.rows", "harness.kept", "harness.ended", "harness.stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """A worker asks to be let in. worker: its number, None for one from elsewhere that has none yet."""

    nonce: str
    worker: int | None
    host: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """The master lets it in, or says why not. plan_json and what follows: for a worker from elsewhere only."""

    nonce: str
    worker: int = 0
    refused: str | None = None
    plan_json: str | None = None
    base_url: str = ""
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    chat_path: str = ""
    auth_header: str = ""
    auth_value: str = ""
    workers: int = 1
    model_names: Mapping[str, str] = field(default_factory=dict)
    max_in_flight: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One question of a worker for the master's clock, and its answer: asked on the worker's clock, the rest on the master's."""

    asked_ns: int
    received_ns: int = 0
    answered_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockOffset:
    """A worker's CLOCK_MONOTONIC less the master's. The truth is within `uncertainty_ns` of it, whatever the network did."""

    offset_ns: int = 0
    uncertainty_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A worker holds its schedule and warm connections, or says why it cannot."""

    intended: int = 0
    offset: ClockOffset = field(default_factory=ClockOffset)
    trouble: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The run's zero, on the master's CLOCK_MONOTONIC."""

    zero_master_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A worker is done. offset: measured again, so that the drift of its clock is known."""

    intended: int
    sent: int
    offset: ClockOffset = field(default_factory=ClockOffset)
    trouble: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty:
    """Nothing but that it was said."""
