"""Was the instrument at fault? Bounds on the generator beyond which a run is invalid, not slow."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from harness.measure.on_time import on_time_of
from harness.measure.requests import Floats, Requests
from harness.measure.vitals import vitals_of
from harness.model.error_kind import ErrorKind
from harness.model.histogram import merge, quantile_ns
from harness.model.judgement import InstrumentHealth
from harness.model.live import LiveLine
from harness.model.outcome import Result
from harness.model.plan import Plan
from harness.model.units import NS_PER_MS

UNSENT_RATIO = 0.001
"""An arrival that the generator lost says nothing about the target: past one in a thousand, p99.9 would be ours."""

ERROR_RATIO = 0.01
"""What the generator may add to a time, as a share of the tightest time that is judged: 50 ms at a 5 s objective. The
delay is inside the response time anyway, so it counts against the target, never for it."""

LEAST_ERROR_MS = 20.0
"""But never below this: on two cores shared with the target a scheduler's turn takes longer than a few milliseconds,
and healthy runs would be thrown away."""

UNTIMED_ERROR_MS = 50.0
"""The bound of a plan that judges no time at all; its windows and recoveries still read the clock."""

CPU_RATIO = 0.9
"""A worker that uses more of its core than this over five seconds in a row is queueing its own work."""

CPU_SECONDS = 5
"""One busy second is a start-up or a garbage collection; five are saturation."""

PLANNED_SIGMAS = 5.0
"""A Poisson count misses its expectation by more than five standard deviations once in 3.5 million runs."""


def health_of(plan: Plan, requests: Requests, live: Sequence[LiveLine], ended_ns: int | None = None) -> InstrumentHealth:
    """Return the generator's figures and one sentence for each bound that was broken.

    ended_ns: when somebody ended the load; what was due later is nobody's failing. None for the plan's own end.
    """
    sent = int(np.count_nonzero(~requests.result.is_in([Result.UNSENT]) & ~np.isnan(requests.started_ns)))
    # A burst is late by design: its requests share one intended moment and leave one after the other.
    lag_ms = p99_ms(requests.of_the_mix(requests.lag_ns))
    loop_ns = quantile_ns(merge(line.loop_lag for line in live), 990)
    loop_ms = None if loop_ns is None else loop_ns / NS_PER_MS
    cpu_ratio = busiest_cpu_ratio(live)
    bound_ms = error_bound_ms(plan)
    on_time, vitals = on_time_of(requests, bound_ms), vitals_of(live)
    problems = [*_missing(plan, requests), *_unsent(requests, plan.end_ns if ended_ns is None else ended_ns)]
    if lag_ms is not None and lag_ms > bound_ms:
        problems.append(
            f"1 % of the requests left more than {lag_ms:.0f} ms after their intended time (bound {bound_ms:.0f} ms): "
            "lower the rate, add --workers, or give the generator a quieter machine"
        )
    pool_ms = p99_ms(requests.of_the_mix(requests.pool_wait_ns))
    if pool_ms is not None and pool_ms > bound_ms:
        problems.append(
            f"1 % of the requests waited more than {pool_ms:.0f} ms for a connection (bound {bound_ms:.0f} ms): "
            "add --workers, or look whether the target accepts connections fast enough"
        )
    if loop_ms is not None and loop_ms > bound_ms:
        problems.append(
            f"the generator's event loop woke {loop_ms:.0f} ms late in 1 % of the cases (bound {bound_ms:.0f} ms): "
            "lower the rate, add --workers, or stop what else runs on the machine"
        )
    if cpu_ratio is not None and not cpu_ratio <= CPU_RATIO:
        problems.append(
            f"a load worker used {100 * cpu_ratio:.0f} % of its core over {CPU_SECONDS} s (bound {100 * CPU_RATIO:.0f} %): "
            "lower the rate or add --workers"
        )
    problems += [*on_time.problems(bound_ms), *vitals.problems(bound_ms)]
    if not live:
        problems.append("the load workers left no live lines, so nothing tells whether the generator kept up: run again")
    return InstrumentHealth(
        intended=requests.size,
        sent=sent,
        lag_p99_ms=lag_ms,
        loop_lag_p99_ms=loop_ms,
        cpu_ratio=cpu_ratio,
        achieved_ratio=on_time.worst_ratio,
        canary_p95_ms=vitals.canary_p95_ms,
        gc_ratio=vitals.gc_ratio,
        files_ratio=vitals.files_ratio,
        valid=not problems,
        problems=tuple(problems),
    )


def error_bound_ms(plan: Plan) -> float:
    """Return how late the generator may be in milliseconds, at p99, before the run is invalid."""
    thresholds_ns = [objective.threshold_ns for objective in plan.objectives if objective.threshold_ns is not None]
    if not thresholds_ns:
        return UNTIMED_ERROR_MS
    return max(LEAST_ERROR_MS, ERROR_RATIO * min(thresholds_ns) / NS_PER_MS)


def p99_ms(durations_ns: Floats) -> float | None:
    """Return the nearest-rank p99 in milliseconds of the durations that happened; None where none did."""
    missing = np.isnan(durations_ns)
    happened = durations_ns[~missing] if missing.any() else durations_ns
    if happened.size == 0:
        return None
    rank = -(-happened.size * 990 // 1000) - 1
    return float(np.partition(happened, rank)[rank]) / NS_PER_MS


def busiest_cpu_ratio(live: Sequence[LiveLine]) -> float | None:
    """Return the highest mean of five lines in a row of any worker; of all its lines where there are fewer."""
    by_worker: dict[int, list[float]] = defaultdict(list)
    for line in sorted(live, key=lambda line: line.t_ns):
        by_worker[line.worker].append(line.cpu_ratio)
    means = []
    for ratios in by_worker.values():
        width = min(CPU_SECONDS, len(ratios))
        means.append(float(np.convolve(ratios, np.ones(width) / width, mode="valid").max()))
    return max(means, default=None)


def _unsent(requests: Requests, ended_ns: int) -> list[str]:
    sent = ~requests.result.is_in([Result.UNSENT]) & ~np.isnan(requests.started_ns)
    # Whoever got no answer asks nothing more: that is the target's doing, and counted there.
    never_due = requests.error_kind.is_in([ErrorKind.CONVERSATION_BROKEN])
    after_the_end = requests.intended_ns >= max(ended_ns, 0)
    lost = int(np.count_nonzero(~sent & ~never_due & ~after_the_end))
    if lost <= UNSENT_RATIO * requests.size:
        return []
    raised = int(np.count_nonzero(requests.error_kind.is_in([ErrorKind.TASK_FAILED])))
    if 2 * raised > lost:
        return [
            f"{raised} tasks of the locustfile raised after all had gone well (of {requests.size} requests, bound "
            f"{100 * UNSENT_RATIO:.1f} %), and what they would have asked next is missing: logs/ tells the lines; mend them, or "
            "let them call `response.failure(...)`"
        ]
    return [
        f"{lost} of {requests.size} intended requests were never sent (bound {100 * UNSENT_RATIO:.1f} %): "
        "lower the rate, or add --workers"
    ]


def _gaps_within_blocks(requests: Requests, block_ns: int) -> int:
    """Return how many numbers are missing inside the blocks of a run that shares its schedule; the others are not its own."""
    rows = np.flatnonzero(requests.mix)
    order = rows[np.argsort(requests.seq[rows], kind="stable")]
    seq, block = requests.seq[order], requests.intended_ns[order] // block_ns
    jumps = np.diff(seq) - 1
    return int(jumps[(np.diff(block) == 0) & (jumps > 0)].sum())


def _missing(plan: Plan, requests: Requests) -> list[str]:
    if requests.size == 0:
        return ["no request was recorded: did the load start at all? see logs/"]
    problems = []
    seq, last, distinct = requests.seq, int(requests.seq.max()), requests.size
    if not np.all(seq[1:] > seq[:-1]):  # they are given in order of intended time, and seldom stand otherwise
        distinct = 1 + int(np.count_nonzero(np.diff(np.sort(seq))))
    dealt = plan.load.dealt
    # From 0 to the last, each number once.
    gaps = last + 1 - distinct if dealt is None else _gaps_within_blocks(requests, dealt.block_ns)
    if gaps:
        problems.append(f"{gaps} of {last + 1} intended requests have no row: a load worker died or could not write; see logs/")
    if distinct < requests.size:
        problems.append("some requests are recorded twice: two load workers wrote into one run directory")
    silent = sorted(set(range(plan.load.workers)) - {max(worker, 0) for worker in requests.workers})
    if silent and requests.size >= plan.load.workers:
        problems.append(f"load worker {', '.join(map(str, silent))} recorded nothing; see logs/")
    short = plan.planned_requests - PLANNED_SIGMAS * plan.planned_requests**0.5 - requests.size
    if short > 0:
        problems.append(
            f"{requests.size} requests were intended where the plan has {plan.planned_requests}: "
            "the load did not run to its end; see logs/"
        )
    return problems
