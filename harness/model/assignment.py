"""What the conductor tells a load worker, over its standard input, so that no key touches a disk or a command line.

conductor -> worker   line 1: Assignment      worker -> conductor   {"event": "ready"}
                      line 2: Go                                    {"event": "ended", ...} then exit 0
End of file on standard input at any time means: stop sending, finish within a second, close the samples.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One worker's part of the load. The plan is read from `run_directory/plan.json`.

    auth_value: template of the header's value, `${key}` stands for the principal's key.
    keys: principal to key. Worker `worker` of `workers` sends arrivals k with k mod workers == worker.
    model_names: a plan's model to the target's name for it. max_in_flight: over all workers; None for no bound.
    """

    run_directory: str
    base_url: str
    keys: Mapping[str, str] = field(repr=False)
    chat_path: str = "/v1/chat/completions"
    auth_header: str = "Authorization"
    auth_value: str = "Bearer ${key}"
    model_names: Mapping[str, str] = field(default_factory=dict)
    max_in_flight: int | None = None
    worker: int = 0
    workers: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """The common start: the run's zero on CLOCK_MONOTONIC of this host, a little in the future."""

    zero_monotonic_ns: int
