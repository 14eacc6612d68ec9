"""How many requests each judgement of a plan will be made from, as far as that can be told before the run."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.arrivals import expected_between
from harness.model.fault import Fault
from harness.model.judged_time import Span, judged_spans
from harness.model.objective import Objective, Quantity
from harness.model.plan import ArrivalProcess, LoadPlan, Phase, Plan

_STREAMED_ONLY = frozenset({Quantity.TTFT, Quantity.ITL, Quantity.TPOT, Quantity.SILENT_BREAKAGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What decides how many requests are judged in which phase; one segment of the load a phase."""

    phases: Sequence[Phase]
    faults: Sequence[Fault]
    load: LoadPlan

    @classmethod
    def of(cls, plan: Plan) -> "Timeline":
        """Return the timeline of a plan."""
        return cls(phases=plan.phases, faults=plan.faults, load=plan.load)

    def phase(self, name: str) -> Phase | None:
        """Return the phase of that name; None where there is none."""
        return next((phase for phase in self.phases if phase.name == name), None)

    def expected(self, spans: Sequence[Span]) -> float:
        """Return how many arrivals of the ordinary load fall due within spans of time."""
        return sum(expected_between(self.load.segments, *span) for span in spans)

    def knows(self, span: Span) -> bool:
        """Return whether the arrivals of a stretch are planned at all; those of a closed loop are not."""
        return not any(
            part.process is ArrivalProcess.CLOSED and part.start_ns < span[1] and part.end_ns > span[0]
            for part in self.load.segments
        )


def spans_of(objective: Objective, phase: Phase, faults: Sequence[Fault]) -> tuple[Span, ...]:
    """Return when a request must fall due for an objective to count it in a phase."""
    if objective.quantity is Quantity.LONGEST_WAIT:
        return ((phase.start_ns, phase.end_ns),)  # whoever began in the phase may be held by what comes later
    return judged_spans(faults, phase)


def part_of(objective: Objective, phase: Phase, faults: Sequence[Fault]) -> int | None:
    """Return for how many nanoseconds of a phase an objective counts requests, where that is not all of it."""
    on_ns = sum(end_ns - start_ns for start_ns, end_ns in spans_of(objective, phase, faults))
    return on_ns if on_ns < phase.end_ns - phase.start_ns else None


def planned_samples(objective: Objective, phase: Phase, timeline: Timeline) -> float:
    """Return how many requests an objective can at most be planned to judge in a phase.

    Those that are slow and begin just before a fault are touched by it too, and come on top; later turns of conversations
    fall due when an answer came, and are not counted. What is under way when a fault begins or is not yet proved clear
    is missing from the phases beside it.
    """
    return planned_after(objective, phase, phase.start_ns, timeline)


def planned_after(objective: Objective, phase: Phase, moment_ns: int, timeline: Timeline) -> float:
    """Return how many of `planned_samples` fall due from a moment on: of a recovery phase, from the recovered one."""
    spans = [(max(start_ns, moment_ns), end_ns) for start_ns, end_ns in spans_of(objective, phase, timeline.faults)]
    return timeline.expected(spans) * share_of_load(objective, timeline.load)


def share_of_load(objective: Objective, load: LoadPlan) -> float:
    """Return which part of the load an objective can at most be about; 1 where a locustfile alone knows."""
    if load.locustfile is not None:
        return 1.0
    picked = [
        part
        for part in load.mix
        if (not objective.classes or part.name in objective.classes) and (not objective.models or part.model in objective.models)
    ]
    share = sum(part.weight_ratio for part in picked)
    streamed = True if objective.quantity in _STREAMED_ONLY else objective.streamed
    if streamed is not None:
        share *= load.streamed_ratio if streamed else 1 - load.streamed_ratio
    return share * (len(objective.principals) / load.principals if objective.principals else 1.0)
