"""From a scenario and what the target offers to a frozen plan, or every reason why not."""

import datetime
import re
from collections.abc import Mapping
from dataclasses import replace

from harness import __version__
from harness.arrivals import expected_count
from harness.documents.findings import Findings
from harness.model.check import CheckPlanner
from harness.model.objective import Kind
from harness.model.plan import (
    AbortCondition,
    ArrivalProcess,
    ArrivalSegment,
    LoadPlan,
    Phase,
    PhaseKind,
    Plan,
    PluginReference,
    ScenarioReference,
)
from harness.model.target import Offer
from harness.scenario.arrivals import compile_segments
from harness.scenario.cost import planned_cost_usd
from harness.scenario.decidable import Replan, find_undecidable
from harness.scenario.document import AbortDocument, ScenarioDocument
from harness.scenario.faults import compile_faults
from harness.scenario.judged import compile_objectives
from harness.scenario.locustfile import find_not_for_locustfile, locustfile_label
from harness.scenario.mix import compile_mix, turns_a_request, users_needed
from harness.scenario.offered import find_not_offered, find_over_limit, find_streamed, spoken, tagged
from harness.scenario.planned_checks import compile_checks
from harness.scenario.read import ScenarioFile
from harness.scenario.samples import Timeline

MAX_REQUESTS = 2_000_000
"""The most that one plan may send: more is a typing error more often than a wish."""


def compile_plan(
    scenario: ScenarioFile,
    offer: Offer,
    *,
    run_id: str,
    seed: int,
    planners: Mapping[str, CheckPlanner],
    workers: int = 1,
    labels: Mapping[str, str] | None = None,
    measures: Mapping[str, Kind] | None = None,
    plugins: tuple[PluginReference, ...] = (),
) -> Plan:
    """Return the plan of one run. Raises ConfigurationError with every problem found, each with file and line.

    offer: what the target can be asked for. planners: the planning halves of the checks that a scenario may name.
    measures: what objectives may name beside the harness's own quantities; plugins: whose they are.
    """
    document = scenario.document
    findings = Findings(scenario.located)
    phases = _phases(document, findings)
    faults = compile_faults(document, phases, offer, seed, findings)
    known_troubles = findings.count
    segments = compile_segments(document, phases, scenario.path.parent, workers, findings)
    mix = tuple(spoken(tagged(part, offer), offer) for part in compile_mix(document, offer, scenario.path.parent, findings))
    checks, steps = compile_checks(document, phases, planners, offer, findings)
    bursts = tuple(
        replace(burst, user_class=spoken(tagged(burst.user_class, offer), offer)) for step in steps for burst in step.bursts
    )

    expected = expected_count(segments)
    requests = round(expected * turns_a_request(mix)) + sum(burst.count for burst in bursts)
    probed = sum(probe.count for step in steps for probe in step.probes)  # not of the load: no sample tells of them
    if requests + probed > MAX_REQUESTS:
        what = f"the plan would send {requests + probed:,} requests; one run sends at most {MAX_REQUESTS:,}"
        findings.add(("load", "arrivals", "rate"), what)
    cost_usd = planned_cost_usd(expected, mix, offer.prices)
    load = LoadPlan(
        segments=segments,
        mix=mix,
        streamed_ratio=0.0 if offer.locustfile is not None else document.load.stream,
        principals=1 if offer.locustfile is not None else users_needed(segments, offer),
        request_timeout_ns=document.request_timeout,
        drain_ns=document.drain,
        workers=workers,
        bursts=bursts,
        locustfile=offer.locustfile,
    )
    objectives = compile_objectives(document, phases, load, cost_usd, findings, measures or {})
    aborts = tuple(_abort(part, index, findings) for index, part in enumerate(document.abort_when))
    find_streamed(document, objectives, mix, offer, findings)
    find_not_offered(document, objectives, mix, bursts, offer, findings)
    find_over_limit(document, segments, bursts, requests + probed, cost_usd, offer, findings)
    if offer.locustfile is None:
        timeline = Timeline(phases=phases, faults=faults, load=load)
        replan = _replanner(scenario, offer, seed, load, known_troubles)
        find_undecidable(document, objectives, timeline, replan, findings)
    else:
        find_not_for_locustfile(document, objectives, load, findings)
    findings.raise_if_any()

    return Plan(
        run_id=run_id,
        created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        harness_version=__version__,
        scenario=ScenarioReference(
            name=document.name,
            title=document.title,
            path=str(scenario.path),
            digest=scenario.digest,
            hypothesis=document.hypothesis,
            blast_radius=document.blast_radius,
            roll_back=document.roll_back,
        ),
        target=offer.reference,
        seed=seed,
        phases=phases,
        load=load if offer.message is None else replace(load, streamed_ratio=0.0),
        faults=faults,
        objectives=objectives,
        checks=checks,
        probes=tuple(probe for step in steps for probe in step.probes),
        actions=tuple(action for step in steps for action in step.actions),
        principals=tuple(made for step in steps for made in step.principals),
        abort_when=aborts,
        capped_principals={name: cap_usd for step in steps for name, cap_usd in step.capped_principals.items()},
        signals=offer.signals,
        planned_requests=requests,
        planned_cost_usd=cost_usd,
        labels={**closed_loop_label(phases, segments), **locustfile_label(load, objectives), **(labels or {})},
        overrides=scenario.overrides,
        plugins=plugins,
    )


def _replanner(scenario: ScenarioFile, offer: Offer, seed: int, load: LoadPlan, known_troubles: int) -> Replan:
    """Return what plans the scenario with phases of other lengths: no place for its faults where more is wrong then."""

    def replan(changed: ScenarioDocument) -> Timeline | None:
        troubles = Findings(scenario.located)
        phases = _phases(changed, troubles)
        faults = compile_faults(changed, phases, offer, seed, troubles)
        if troubles.count > known_troubles:
            return None
        moved = zip(load.segments, phases, strict=True)
        segments = tuple(replace(part, start_ns=phase.start_ns, end_ns=phase.end_ns) for part, phase in moved)
        return Timeline(phases=phases, faults=faults, load=replace(load, segments=segments))

    return replan


def _phases(document: ScenarioDocument, findings: Findings) -> tuple[Phase, ...]:
    phases: list[Phase] = []
    start_ns = 0
    for index, part in enumerate(document.phases):
        if any(phase.name == part.name for phase in phases):
            findings.add(("phases", index, "name"), f"the phase name {part.name!r} stands twice")
        if part.kind is PhaseKind.FAULT and not part.faults and part.nemesis is None:
            what = f"phase {part.name!r} is of kind fault and has no faults; add one, or make it kind: steady"
            findings.add(("phases", index), what)
        if part.kind is not PhaseKind.FAULT and (part.faults or part.nemesis is not None):
            what = f"phase {part.name!r} is of kind {part.kind.value} and has faults; make it kind: fault"
            findings.add(("phases", index, "faults"), what)
        if part.kind is PhaseKind.WARMUP and index > 0:
            findings.add(("phases", index, "kind"), "a warm-up comes first or not at all: nothing in it is judged")
        phases.append(Phase(name=part.name, kind=part.kind, start_ns=start_ns, end_ns=start_ns + part.for_))
        start_ns += part.for_
    return tuple(phases)


def closed_loop_label(phases: tuple[Phase, ...], segments: tuple[ArrivalSegment, ...]) -> dict[str, str]:
    """Return the label that says where times are those of a closed loop, which hides what a slow target costs its users."""
    closed = [phase.name for phase, part in zip(phases, segments, strict=True) if part.process is ArrivalProcess.CLOSED]
    return {"closed-loop": f"{', '.join(closed)}: intended = actual, times there hide waiting"} if closed else {}


def _abort(part: AbortDocument, index: int, findings: Findings) -> AbortCondition:
    match = re.fullmatch(r"\s*>=?\s*(\d+(?:\.\d+)?)\s*%\s*", part.error_rate)
    if match is None or not 0 < float(match[1]) < 100:
        findings.add(("abort_when", index, "error rate"), f"{part.error_rate!r} is no abort condition; write '> 50%'")
        return AbortCondition(error_ratio=1.0, for_ns=part.for_)
    return AbortCondition(error_ratio=float(match[1]) / 100, for_ns=part.for_)
