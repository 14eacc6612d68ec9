"""One line of `live.jsonl`: what one load worker saw in one second."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLine:
    """Counts and mergeable histograms (`harness.model.histogram`) of one second and worker.

    t_ns: end of the second, from the run's zero. `intended` counts arrivals that fell due, `sent` those that went
    out, `ended` those that finished in this second; `in_flight` is at its end. Latencies are on the intended clock.
    loop_lag: how late the worker's event loop woke; cpu_ratio: CPU seconds per second of the worker (1.0 is a core).
    gc_ms: how long the garbage collector held the worker in this second; open_files: its descriptors at the end, of
    open_files_limit (0 where none is known). canary: how long probes took that are answered at once, on a warm connection;
    canary_failed: those that got no answer.
    """

    worker: int
    t_ns: int
    phase: str
    intended: int
    sent: int
    ended: int
    in_flight: int
    results: Mapping[str, int]
    sources: Mapping[str, int]
    latency: Mapping[int, int]
    dispatch_lag: Mapping[int, int]
    loop_lag: Mapping[int, int]
    cpu_ratio: float
    gc_ms: float = 0.0
    open_files: int = 0
    open_files_limit: int = 0
    canary: Mapping[int, int] = field(default_factory=dict)
    canary_failed: int = 0
