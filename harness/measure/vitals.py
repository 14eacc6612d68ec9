"""What the load workers tell of themselves each second: canary probes, garbage collector, file descriptors."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.histogram import merge, quantile_ns
from harness.model.live import LiveLine
from harness.model.units import NS_PER_MS, NS_PER_S

GC_RATIO = 0.01
"""A worker that stands still for one part in a hundred of the time puts that into every p99."""

FILES_RATIO = 0.9
"""Beyond this the next connections are refused by our own machine; those that were are unsent."""

CANARY_FAILED_RATIO = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """Figures of the worst worker; None where no worker told of them. files: in use, of how many."""

    canary_p95_ms: float | None
    canary_failed_ratio: float | None
    gc_ratio: float | None
    files_ratio: float | None
    files: tuple[int, int] = (0, 0)

    def problems(self, bound_ms: float) -> list[str]:
        """Return one sentence for each bound that was broken."""
        problems = []
        if self.canary_p95_ms is not None and self.canary_p95_ms > bound_ms:
            problems.append(
                f"5 % of the probes that are answered at once took more than {self.canary_p95_ms:.0f} ms "
                f"(bound {bound_ms:.0f} ms): "
                "every time measured here is that much too long; lower the rate, or stop what else runs on the machine"
            )
        if self.canary_failed_ratio is not None and self.canary_failed_ratio > CANARY_FAILED_RATIO:
            problems.append(
                f"{100 * self.canary_failed_ratio:.0f} % of the probes that are answered at once had no answer within 5 s "
                f"(bound {100 * CANARY_FAILED_RATIO:.0f} %): the generator's machine is out of something; see logs/"
            )
        if self.gc_ratio is not None and self.gc_ratio > GC_RATIO:
            problems.append(
                f"a load worker spent {100 * self.gc_ratio:.1f} % of the run in its garbage collector "
                f"(bound {100 * GC_RATIO:.0f} %): "
                "everything waits meanwhile; lower the rate, add --workers, or look at what a locustfile keeps"
            )
        if self.files_ratio is not None and self.files_ratio > FILES_RATIO:
            problems.append(
                f"a load worker had {self.files[0]} of {self.files[1]} file descriptors open (bound {100 * FILES_RATIO:.0f} %): "
                "raise the limit (ulimit -n), or lower the rate: a slow target holds a connection for each request in flight"
            )
        return problems


def vitals_of(live: Sequence[LiveLine]) -> Vitals:
    """Return the figures of a run's live lines."""
    by_worker: dict[int, list[LiveLine]] = defaultdict(list)
    for line in live:
        by_worker[line.worker].append(line)
    parts = [_of_one(lines) for lines in by_worker.values()]
    fullest = max(parts, key=lambda part: part.files_ratio or 0.0, default=None)
    return Vitals(
        canary_p95_ms=_most([part.canary_p95_ms for part in parts]),
        canary_failed_ratio=_most([part.canary_failed_ratio for part in parts]),
        gc_ratio=_most([part.gc_ratio for part in parts]),
        files_ratio=None if fullest is None else fullest.files_ratio,
        files=(0, 0) if fullest is None else fullest.files,
    )


def _of_one(lines: Sequence[LiveLine]) -> Vitals:
    answered = merge(line.canary for line in lines)
    p95_ns = quantile_ns(answered, 950)
    failed = sum(line.canary_failed for line in lines)
    probes = sum(answered.values()) + failed
    length_s = max(line.t_ns for line in lines) / NS_PER_S
    fullest = max(lines, key=lambda line: line.open_files / line.open_files_limit if line.open_files_limit > 0 else 0.0)
    limited = fullest.open_files_limit > 0
    return Vitals(
        canary_p95_ms=None if p95_ns is None else p95_ns / NS_PER_MS,
        canary_failed_ratio=failed / probes if probes else None,
        gc_ratio=sum(line.gc_ms for line in lines) / 1000 / length_s if length_s > 0 else None,
        files_ratio=fullest.open_files / fullest.open_files_limit if limited else None,
        files=(fullest.open_files, fullest.open_files_limit) if limited else (0, 0),
    )


def _most(figures: Sequence[float | None]) -> float | None:
    return max((figure for figure in figures if figure is not None), default=None)
