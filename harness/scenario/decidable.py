"""Objectives that the planned sample could not pass, whatever the service does: found before anything starts."""

from collections.abc import Sequence

from harness.arrivals import expected_count
from harness.documents.findings import Findings
from harness.model.objective import Kind, Objective, Quantity
from harness.model.plan import LoadPlan, Phase
from harness.model.units import NS_PER_S
from harness.scenario.document import ScenarioDocument
from harness.stats import smallest_n_to_pass

_STREAMED_ONLY = frozenset({Quantity.TTFT, Quantity.ITL, Quantity.TPOT})
_COUNT_UNKNOWN = frozenset({Quantity.REFUSAL_LATENCY, Quantity.EXTENSION})
"""How many requests will be refused is the service's to decide, and what counts the plug-in's: nothing planned can tell."""


def find_undecidable(
    document: ScenarioDocument,
    objectives: Sequence[Objective],
    phases: Sequence[Phase],
    load: LoadPlan,
    findings: Findings,
) -> None:
    """Note every ratio objective whose phase plans fewer requests than a pass without one bad request needs."""
    by_line = {findings.line_of(("objectives", index)): index for index in range(len(document.objectives))}
    for objective in objectives:
        if objective.kind is not Kind.RATIO:
            continue
        bad_limit = objective.limit if objective.op == "<=" else 1 - objective.limit
        needed = smallest_n_to_pass(bad_limit, objective.confidence)
        path = ("objectives", by_line.get(objective.line or 0, 0))
        if needed is None:
            findings.add(path, f"{objective.written}: no number of requests can prove a limit of 0 or 100 %")
            continue
        share = _share_of_load(objective, load)
        for phase, segment in zip(phases, load.segments, strict=True):
            if phase.name not in objective.during or objective.quantity in _COUNT_UNKNOWN:
                continue
            planned = expected_count([segment]) * share
            if planned < needed:
                length_s = (phase.end_ns - phase.start_ns) / NS_PER_S
                findings.add(path, _sentence(objective, phase.name, planned, needed, length_s))


def _share_of_load(objective: Objective, load: LoadPlan) -> float:
    """Return which part of the load an objective can at most be about."""
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


def _sentence(objective: Objective, phase: str, planned: float, needed: int, length_s: float) -> str:
    what = f"{objective.written} cannot be decided in phase {phase!r}: {planned:.0f} requests are planned, a pass needs {needed}"
    if planned < 1:
        return f"{what}; the mix sends none that it could judge"
    return f"{what}; make the phase at least {length_s * needed / planned:.0f}s long or raise the rate"
