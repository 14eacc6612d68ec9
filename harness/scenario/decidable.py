"""Objectives that the planned sample could not pass, whatever the service does: found before anything starts.

What is counted is what the judge will count: of a phase with faults the requests that fall due while one of them is on,
not those of the whole phase. Each refusal names the shortest duration that would do, found by planning with it.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.documents.findings import Findings
from harness.model.judged_time import (
    BURN_REQUESTS,
    GOOD_IN_A_ROW,
    RECOVERY_WINDOW_NS,
    RECOVERY_WINDOW_REQUESTS,
    burn_moments,
    looked_until_ns,
    own_faults,
)
from harness.model.objective import Kind, Objective, Quantity
from harness.model.units import NS_PER_S, format_duration
from harness.scenario.document import PhaseDocument, ScenarioDocument
from harness.scenario.samples import Timeline, part_of, planned_samples, share_of_load
from harness.stats import smallest_n_to_pass

_COUNT_UNKNOWN = frozenset({Quantity.REFUSAL_LATENCY, Quantity.EXTENSION})
"""How many requests will be refused is the service's to decide, and what counts the plug-in's: nothing planned can tell."""
_LONGEST_S = 6 * 3600
_NO_LENGTH = "a phase of six hours would not do either: raise the rate"
_ROUNDING = 1e-6

Replan = Callable[[ScenarioDocument], Timeline | None]
"""Plans a changed scenario; None where its faults cannot be placed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What the timeline must hold, for an objective to be decided.

    missing: what a timeline lacks of it, in words; None where it lacks nothing. phase: the one to lengthen; otherwise: what
    else would do, where its length would not.
    """

    missing: Callable[[Timeline], str | None]
    phase: str
    otherwise: str


def find_undecidable(
    document: ScenarioDocument, objectives: Sequence[Objective], timeline: Timeline, replan: Replan, findings: Findings
) -> None:
    """Note every objective that plans fewer requests than a pass without one bad request needs."""
    by_line = {findings.line_of(("objectives", index)): index for index in range(len(document.objectives))}
    for objective in objectives:
        path = ("objectives", by_line.get(objective.line or 0, 0))
        if objective.kind is Kind.RATIO and _needed(objective) is None:
            findings.add(path, f"{objective.written}: no number of requests can prove a limit of 0 or 100 %")
            continue
        for question in _questions(objective, timeline):
            if (what := question.missing(timeline)) is not None:
                findings.add(path, f"{objective.written} cannot be decided {what}; {_remedy(question, document, replan)}")


def _questions(objective: Objective, timeline: Timeline) -> Iterator[_Question]:
    if objective.quantity is Quantity.RECOVERY:
        if (question := _of_recovery(objective, timeline)) is not None:
            yield question
        return
    for phase in timeline.phases:
        if phase.name not in objective.during:
            continue
        is_planned = timeline.knows((phase.start_ns, phase.end_ns))
        if objective.quantity is Quantity.BURN_RATE and is_planned:
            yield _of_burn(objective, phase.name)
        elif objective.quantity is Quantity.LONGEST_WAIT and is_planned:
            yield _of_count(objective, phase.name, timeline, 1)
        elif objective.kind is Kind.RATIO and objective.quantity not in _COUNT_UNKNOWN:
            yield _of_count(objective, phase.name, timeline, _needed(objective) or 0)


def _needed(objective: Objective) -> int | None:
    return smallest_n_to_pass(objective.bad_limit, objective.confidence)


def _of_count(objective: Objective, name: str, timeline: Timeline, needed: int) -> _Question:
    def missing(line: Timeline) -> str | None:
        phase = line.phase(name)
        assert phase is not None
        planned = planned_samples(objective, phase, line)
        if planned + _ROUNDING >= needed:
            return None
        on_ns = part_of(objective, phase, line.faults)
        part = "" if on_ns is None else f" in the {format_duration(on_ns)} for which its faults are on"
        return f"in phase {name!r}: {math.floor(planned + _ROUNDING)} requests are planned{part}, a pass needs {needed}"

    none = share_of_load(objective, timeline.load) == 0
    otherwise = "the mix sends none that it could judge" if none else _NO_LENGTH
    return _Question(missing=missing, phase=name, otherwise=otherwise)


def _of_burn(objective: Objective, name: str) -> _Question:
    assert objective.windows_ns is not None
    long_ns, short_ns = objective.windows_ns

    def missing(line: Timeline) -> str | None:
        phase = line.phase(name)
        assert phase is not None
        for moment in burn_moments(phase, long_ns, phase.end_ns):
            if all(line.expected([(moment - w, moment)]) + _ROUNDING >= BURN_REQUESTS for w in (long_ns, short_ns)):
                return None
        windows = f"{format_duration(long_ns)} of the phase behind it, and {BURN_REQUESTS} planned requests"
        return f"in phase {name!r}: no moment has {windows} in that window and in the last {format_duration(short_ns)}"

    return _Question(missing=missing, phase=name, otherwise=_NO_LENGTH)


def _of_recovery(objective: Objective, timeline: Timeline) -> _Question | None:
    """Return what a search for a recovery asks; None where something else is wrong, or only the run will tell."""
    after = objective.after or ""

    def room(line: Timeline) -> tuple[int, int] | None:
        phase = line.phase(after)
        own = () if phase is None else own_faults(line.faults, phase)
        if phase is None or not own or phase is line.phases[-1]:
            return None
        return max(fault.clear_ns for fault in own), looked_until_ns(line.phases, line.faults, phase)

    def missing(line: Timeline) -> str | None:
        span = room(line)
        assert span is not None
        least_ns, least = GOOD_IN_A_ROW * RECOVERY_WINDOW_NS, GOOD_IN_A_ROW * RECOVERY_WINDOW_REQUESTS
        length_ns, planned = span[1] - span[0], line.expected([span])
        if length_ns >= least_ns and planned + _ROUNDING >= least:
            return None
        what = f"{math.floor(planned + _ROUNDING)} requests are planned in the {format_duration(length_ns)} to the next fault"
        return (
            f"after phase {after!r}: {what} or the end, {GOOD_IN_A_ROW} good windows need {least} in {format_duration(least_ns)}"
        )

    span = room(timeline)
    if span is None or not timeline.knows(span):
        return None
    last = next(phase for phase in timeline.phases if phase.end_ns >= span[1])
    return _Question(missing=missing, phase=last.name, otherwise=f"add a phase of kind recovery after {after!r}")


def _remedy(question: _Question, document: ScenarioDocument, replan: Replan) -> str:
    index = next(index for index, phase in enumerate(document.phases) if phase.name == question.phase)
    phase = document.phases[index]

    def decides(changed: PhaseDocument) -> bool:
        phases = [*document.phases[:index], changed, *document.phases[index + 1 :]]
        timeline = replan(document.model_copy(update={"phases": phases}))
        return timeline is not None and question.missing(timeline) is None

    if (length_s := _shortest_s(phase.for_, lambda s: decides(_lasting(phase, s * NS_PER_S)))) is not None:
        return f"make phase {question.phase!r} at least {length_s}s long or raise the rate"
    held = [place for place, fault in enumerate(phase.faults) if fault.for_ is not None]
    if len(held) == 1:
        (place,) = held
        length_s = _shortest_s(phase.faults[place].for_ or 0, lambda s: decides(_holding(phase, place, s * NS_PER_S)))
        if length_s is not None:
            long_s = math.ceil(_holding(phase, place, length_s * NS_PER_S).for_ / NS_PER_S)
            beside = f" and phase {phase.name!r} {long_s}s long" if long_s * NS_PER_S > phase.for_ else ""
            return f"make its fault at least `for: {length_s}s`{beside}, or raise the rate"
    return question.otherwise


def _lasting(phase: PhaseDocument, length_ns: int) -> PhaseDocument:
    return phase.model_copy(update={"for_": length_ns})


def _holding(phase: PhaseDocument, place: int, hold_ns: int) -> PhaseDocument:
    """Return a phase whose fault at a place stays so long, itself as long as that needs."""
    fault = phase.faults[place]
    late_ns = place * phase.stagger if fault.from_ is None else fault.from_
    faults = [*phase.faults[:place], fault.model_copy(update={"for_": hold_ns}), *phase.faults[place + 1 :]]
    return phase.model_copy(update={"faults": faults, "for_": max(phase.for_, late_ns + hold_ns)})


def _shortest_s(too_short_ns: int, decides: Callable[[int], bool]) -> int | None:
    """Return the fewest whole seconds that decide; None where six hours do not. A longer phase never counts fewer requests."""
    low, step = too_short_ns // NS_PER_S, 1
    while not decides(low + step):
        step *= 2
        if low + step > _LONGEST_S:
            return None
    low, high = low + step // 2, low + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high
