"""The faults of a scenario, checked against what the target offers and placed on the timeline."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from harness.documents.findings import Findings
from harness.documents.located import Path
from harness.errors import did_you_mean
from harness.model.fault import Fault
from harness.model.fault_kinds import check_fault, own_places
from harness.model.plan import Phase
from harness.model.target import Offer
from harness.scenario.composition import draw, overlapping, pieces_of
from harness.scenario.document import FaultDocument, ScenarioDocument
from harness.scenario.offered import fault_not_offered


def compile_faults(
    document: ScenarioDocument, phases: Sequence[Phase], offer: Offer, seed: int, findings: Findings
) -> tuple[Fault, ...]:
    """Return every fault of every phase, in the order written; notes those that cannot be."""
    faults: list[Fault] = []
    paths: dict[str, Path] = {}

    def keep(new: Sequence[Fault], path: Path) -> None:
        for fault in new:
            if fault.id in paths:
                findings.add(path, f"the fault id {fault.id!r} stands twice")
            paths[fault.id] = path
            faults.append(replace(fault, seed=int.from_bytes(hashlib.sha256(f"{seed}/{fault.id}".encode()).digest()[:4])))

    for phase_index, (part, phase) in enumerate(zip(document.phases, phases, strict=True)):
        for fault_index, written in enumerate(part.faults):
            path: Path = ("phases", phase_index, "faults", fault_index)
            _check(written, offer, path, findings)
            late_ns = fault_index * part.stagger if written.from_ is None else written.from_
            keep(_placed(written, phase, late_ns, faults, path, findings), path)
        if part.nemesis is not None:
            path = ("phases", phase_index, "nemesis")
            for index, written in enumerate(part.nemesis.draw):
                _check(written, offer, (*path, "draw", index), findings)
                if written.model_fields_set & {"from_", "for_", "flap", "ramp", "id"}:
                    findings.add((*path, "draw", index), "the nemesis decides when and for how long: `every`, `hold`")
            if part.nemesis.hold > phase.end_ns - phase.start_ns:
                findings.add((*path, "hold"), f"`hold` is longer than the phase {phase.name!r}: nothing would be drawn")
            keep(draw(part.nemesis, phase, seed), path)
    for first, second, why in overlapping(faults):
        findings.add(paths[second.id], f"{second.id} and {first.id} overlap in time: {why}")
    return tuple(faults)


def find_phase(name: str, phases: Sequence[Phase], path: Path, findings: Findings) -> Phase | None:
    """Return the phase of that name, or note that there is none."""
    for phase in phases:
        if phase.name == name:
            return phase
    names = [phase.name for phase in phases]
    findings.add(path, f"no phase is called {name!r}; there are {', '.join(names)}{did_you_mean(name, names)}")
    return None


def _check(written: FaultDocument, offer: Offer, path: Path, findings: Findings) -> None:
    reason = fault_not_offered(written.at, written.kind, written.parameters(), offer)
    offered = offer.places | own_places()
    places = sorted({*offered, written.at} if reason is not None else offered)  # a missing place is told once
    for problem in check_fault(written.at, written.kind, written.parameters(), places):
        findings.add(path, f"{_show(path)}: {problem}")
    if reason is not None:
        findings.add(path, f"{_show(path)}: {reason}", not_offered=True)
    if written.ramp is not None:
        ends = {**written.parameters(), **written.ramp.to}
        for problem in check_fault(written.at, written.kind, ends, places):
            if problem not in check_fault(written.at, written.kind, written.parameters(), places):
                findings.add((*path, "ramp"), f"{_show(path)}: at the ramp's end: {problem}")


def _placed(
    written: FaultDocument, phase: Phase, late_ns: int, faults: Sequence[Fault], path: Path, findings: Findings
) -> list[Fault]:
    """Return what one written fault is on the timeline: one fault, or a numbered one for each piece."""
    apply_ns = phase.start_ns + late_ns
    clear_ns = phase.end_ns if written.for_ is None else apply_ns + written.for_
    if clear_ns > phase.end_ns or apply_ns >= phase.end_ns:
        what = f"the fault outlasts its phase {phase.name!r}; shorten `from` and `for`, or lengthen the phase"
        findings.add(path, what)
        return []
    try:
        pieces = pieces_of(written, apply_ns, clear_ns)
    except ValueError as error:
        findings.add(path, f"{_show(path)}: {error}")
        return []
    base = written.id or _unique(f"{written.kind}-{written.at}".replace(".", "-").replace("_", "-"), faults)
    alone = written.flap is None and written.ramp is None
    return [
        Fault(
            id=base if alone else f"{base}-{number}",
            at=written.at,
            kind=written.kind,
            phase=phase.name,
            apply_ns=piece.apply_ns,
            clear_ns=piece.clear_ns,
            parameters=piece.parameters,
            expects_action=written.expects_action,
        )
        for number, piece in enumerate(pieces, start=1)
    ]


def _unique(base: str, faults: Sequence[Fault]) -> str:
    taken = {fault.id for fault in faults}
    number = 2
    name = base
    while name in taken or f"{name}-1" in taken:
        name = f"{base}-{number}"
        number += 1
    return name


def _show(path: Path) -> str:
    text = f"phases[{path[1]}].{path[2]}"
    return text + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path[3:])
