"""What the conductor tells the load processes, over their standard input, so that no key touches a disk or a command line.

A worker (`python -m harness.load`):
conductor -> worker   line 1: Assignment      worker -> conductor   {"event": "ready"}
                      line 2: Go                                    {"event": "ended", ...} then exit 0
A worker whose assignment names a master takes its zero from there, not from line 2.

The master of several (`python -m harness.load lead`):
conductor -> master   line 1: Muster          master -> conductor   {"event": "listening", "port": N}
                      line 2: Go                                    {"event": "ready"}, {"event": "lost", ...}
                      any further line: Lost                        {"event": "ended", ...} then exit 0
End of file on standard input at any time means: stop sending, finish within a second, close the samples.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One worker's part of the load. The plan is read from `run_directory/plan.json`.

    base_path: what of the target's URL comes after the port, for the tasks of a locustfile; `chat_path` begins with it.
    auth_value: template of the header's value, `${key}` stands for the principal's key.
    keys: principal to key. Worker `worker` of `workers` sends arrivals k with k mod workers == worker.
    model_names: a plan's model to the target's name for it. max_in_flight: over all workers; None for no bound.
    allowed_hosts: hosts beside loopback that somebody named on a command line as allowed to get load.
    master: HOST:PORT of Locust's master, None for a worker alone; token: what proves the two to each other.
    """

    run_directory: str
    base_url: str
    keys: Mapping[str, str] = field(repr=False)
    chat_path: str = "/v1/chat/completions"
    base_path: str = ""
    auth_header: str = "Authorization"
    auth_value: str = "Bearer ${key}"
    model_names: Mapping[str, str] = field(default_factory=dict)
    max_in_flight: int | None = None
    worker: int = 0
    workers: int = 1
    allowed_hosts: tuple[str, ...] = ()
    master: str | None = None
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Muster:
    """What the master gathers its workers for.

    assignment: what each gets, but for its number; `assignment.workers` is how many there must be.
    remote: how many of them come by themselves, from other machines, and get all they need over the channel.
    bind_host, bind_port: where the master listens; port 0 is any. max_wait_s: how long it waits for all of them.
    web_port: where Locust's web UI can be watched on 127.0.0.1; None for none.
    """

    assignment: Assignment
    token: str = field(repr=False)
    remote: int = 0
    bind_host: str = "127.0.0.1"
    bind_port: int = 0
    max_wait_s: float = 60.0
    web_port: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """The common start: the run's zero on CLOCK_MONOTONIC of this host, a little in the future."""

    zero_monotonic_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A worker that the conductor started has been killed: its heartbeat need not be waited for."""

    lost_worker: int
