"""Is the service steady? Asked before the first fault: what is broken already must not be broken further."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.histogram import merge, midpoint_ns
from harness.model.live import LiveLine
from harness.model.objective import Objective, Quantity
from harness.model.outcome import BAD_RESULTS
from harness.model.plan import PhaseKind, Plan
from harness.stats import bounds_of_share

ERROR_RATIO = 0.05
"""The share of bad requests above which nobody calls a service steady, where the scenario says nothing itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyState:
    """What was seen over [from_ns, until_ns) of the run, by `live.jsonl` alone.

    problems: why the service is not steady, each with its figures; empty where nothing speaks against it.
    """

    from_ns: int
    until_ns: int
    ended: int
    bad: int
    problems: tuple[str, ...]

    @property
    def told(self) -> str:
        """The figures in one line."""
        seconds = (self.until_ns - self.from_ns) / 1e9
        return f"{self.bad} of {self.ended} requests were bad over {seconds:.0f} s"


def steady_state(plan: Plan, lines: Sequence[LiveLine], *, from_ns: int, until_ns: int) -> SteadyState:
    """Return whether the scenario's own limits hold over a stretch without faults.

    A limit is broken where the seen share lies above it for certain (at the objective's confidence): a small sample with
    one bad request stops nothing. A stretch of three seconds or more in which nothing ended at all is not steady.
    """
    seen = [line for line in lines if from_ns < line.t_ns <= until_ns]
    ended = sum(sum(line.results.values()) for line in seen)
    bad = sum(count for line in seen for result, count in line.results.items() if result in BAD_RESULTS)
    problems = []
    if ended == 0:
        if until_ns - from_ns >= 3_000_000_000:
            problems.append("not one request ended")
    else:
        limit = min((each.limit for each in plan.objectives if _is_error_limit(each)), default=ERROR_RATIO)
        if _surely_above(bad, ended, limit):
            problems.append(f"{bad} of {ended} requests were bad ({bad / ended:.0%}), and {limit:.0%} may be")
        problems += [text for each in plan.objectives if (text := _too_slow(each, seen)) is not None]
    return SteadyState(from_ns=from_ns, until_ns=until_ns, ended=ended, bad=bad, problems=tuple(problems))


def steady_stretch(plan: Plan) -> tuple[int, int] | None:
    """Return what lies before the first fault and after the warm-up; the warm-up where that is all; None for nothing."""
    first_ns = min((fault.apply_ns for fault in plan.faults), default=None)
    if not first_ns:
        return None
    warm_ns = max((phase.end_ns for phase in plan.phases if phase.kind is PhaseKind.WARMUP), default=0)
    return (warm_ns if warm_ns < first_ns else 0, first_ns)


def _is_error_limit(objective: Objective) -> bool:
    return objective.quantity is Quantity.ERROR_SHARE and objective.op == "<=" and not objective.classes


def _too_slow(objective: Objective, lines: Sequence[LiveLine]) -> str | None:
    threshold_ns = objective.threshold_ns
    if objective.quantity is not Quantity.LATENCY or threshold_ns is None or objective.classes:
        return None
    histogram = merge(line.latency for line in lines)
    count = sum(histogram.values())
    slow = sum(number for bucket, number in histogram.items() if midpoint_ns(bucket) > threshold_ns)
    if count == 0 or not _surely_above(slow, count, objective.limit):
        return None
    most = f"{objective.limit:.0%} may ({objective.written})"
    return f"{slow} of {count} answers took longer than {threshold_ns / 1e9:g} s, and {most}"


def _surely_above(bad: int, count: int, limit: float) -> bool:
    return bounds_of_share(bad, count).lower > limit
