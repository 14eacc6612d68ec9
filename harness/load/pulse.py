"""What one worker saw in each second, for `live.jsonl`: counts, histograms and the health of its own loop."""

import gc
import os
import resource
import time
from array import array
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np

from harness.exchange import Outcome
from harness.load.schedule import Schedule
from harness.model.histogram import bucket_of
from harness.model.live import LiveLine
from harness.model.outcome import Result
from harness.rundir.files import storage_errors

_ANSWERED = Result.ANSWERED


class Pulse:
    """Counts until `line` is asked for, then starts again. Latencies are those of answers, on the intended clock."""

    def __init__(self, schedule: Schedule, *, worker: int) -> None:
        self._schedule = schedule
        self._worker = worker
        self.due = 0
        self.sent = 0
        self.finished = 0
        self._told = (0, 0, 0)
        self._results: Counter[str] = Counter()
        self._sources: Counter[str] = Counter()
        self._latency_ns = array("q")
        self._dispatch_lag_ns = array("q")
        self._loop_lag: Counter[int] = Counter()
        self._canary: Counter[int] = Counter()
        self._canary_failed = 0
        self._cpu_s = _cpu_s()
        self._wall_ns = time.monotonic_ns()
        self._gc_ns = 0
        self._gc_began_ns = 0
        gc.callbacks.append(self._collected)

    def begin(self) -> None:
        """Count from now on: what the worker's own start cost is no figure of the run."""
        self._cpu_s, self._wall_ns, self._gc_ns = _cpu_s(), time.monotonic_ns(), 0

    def started(self, index: int, started_ns: int) -> None:
        """Count a request that goes out."""
        self.sent += 1
        self._dispatch_lag_ns.append(started_ns - self._schedule.intended_ns[index])

    def ended(self, index: int, outcome: Outcome) -> None:
        """Count an outcome."""
        self.finished += 1
        self._results[outcome.result] += 1
        if outcome.source is not None:
            self._sources[outcome.source] += 1
        if outcome.result is _ANSWERED and outcome.ended_ns is not None:
            self._latency_ns.append(outcome.ended_ns - self._schedule.intended_ns[index])

    def woke(self, late_ns: int) -> None:
        """Count one wake-up of the loop."""
        self._loop_lag[bucket_of(late_ns)] += 1

    def sang(self, took_ns: int | None) -> None:
        """Count a canary probe: how long it took, None where it was not answered."""
        if took_ns is None:
            self._canary_failed += 1
        else:
            self._canary[bucket_of(took_ns)] += 1

    def _collected(self, phase: str, _: object) -> None:
        if phase == "start":
            self._gc_began_ns = time.monotonic_ns()
        else:
            self._gc_ns += time.monotonic_ns() - self._gc_began_ns

    def line(self, t_ns: int, phase: str, in_flight: int) -> LiveLine:
        """Return what was seen since the last line."""
        cpu_s, wall_ns = _cpu_s(), time.monotonic_ns()
        told = (self.due, self.sent, self.finished)
        line = LiveLine(
            worker=self._worker,
            t_ns=t_ns,
            phase=phase,
            intended=told[0] - self._told[0],
            sent=told[1] - self._told[1],
            ended=told[2] - self._told[2],
            in_flight=in_flight,
            results=self._results,
            sources=self._sources,
            latency=histogram_of(self._latency_ns),
            dispatch_lag=histogram_of(self._dispatch_lag_ns),
            loop_lag=self._loop_lag,
            gc_ms=round(self._gc_ns / 1e6, 3),
            open_files=_open_files(),
            open_files_limit=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            canary=self._canary,
            canary_failed=self._canary_failed,
            cpu_ratio=round((cpu_s - self._cpu_s) * 1e9 / max(wall_ns - self._wall_ns, 1), 4),
        )
        self._gc_ns = 0
        self._told, self._cpu_s, self._wall_ns = told, cpu_s, wall_ns
        self._results, self._sources = Counter(), Counter()
        self._latency_ns, self._dispatch_lag_ns, self._loop_lag = array("q"), array("q"), Counter()
        self._canary, self._canary_failed = Counter(), 0
        return line


class LiveFile:
    """Appends whole lines to `live.jsonl`, each by one write, so that several workers can share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with storage_errors(path):
            self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def append(self, line: LiveLine) -> None:
        """Append one line. Raises StorageError."""
        with storage_errors(self._path):
            os.write(self._fd, msgspec.json.encode(line) + b"\n")

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._fd)


def histogram_of(values_ns: "array[int]") -> Counter[int]:
    """Return how many of a second's values each bucket of `bucket_of` holds: all at once, for a fifth of one by one."""
    values = np.maximum(np.frombuffer(values_ns, dtype=np.int64), 0)
    shift = np.maximum(np.frexp(values.astype(np.float64))[1].astype(np.int64) - 6, 0)  # exact below 2**53 ns, 104 days
    buckets, counts = np.unique(np.where(values < 64, values, 32 * shift + (values >> shift)), return_counts=True)
    return Counter(dict(zip(buckets.tolist(), counts.tolist(), strict=True)))


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _open_files() -> int:
    """Return how many descriptors are open; all there are, where not one is left to look with."""
    try:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counted, once a second: no object a file
    except OSError:
        return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
