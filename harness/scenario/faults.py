"""The faults of a scenario, checked against what the target offers and placed on the timeline."""

import hashlib
from collections.abc import Sequence

from harness.documents.findings import Findings
from harness.documents.located import Path
from harness.errors import did_you_mean
from harness.model.fault import Fault
from harness.model.fault_kinds import check_fault
from harness.model.plan import Phase
from harness.model.target import Offer
from harness.scenario.document import FaultDocument, ScenarioDocument
from harness.scenario.offered import fault_not_offered


def compile_faults(
    document: ScenarioDocument, phases: Sequence[Phase], offer: Offer, seed: int, findings: Findings
) -> tuple[Fault, ...]:
    """Return every fault of every phase, in the order written; notes those that cannot be."""
    faults: list[Fault] = []
    for phase_index, (part, phase) in enumerate(zip(document.phases, phases, strict=True)):
        for fault_index, written in enumerate(part.faults):
            path: Path = ("phases", phase_index, "faults", fault_index)
            for problem in check_fault(written.at, written.kind, written.parameters(), sorted(offer.places)):
                findings.add(path, f"{_show(path)}: {problem}")
            if (reason := fault_not_offered(written.at, written.kind, offer)) is not None:
                findings.add(path, f"{_show(path)}: {reason}")
            apply_ns, clear_ns = _window(written, phase, path, findings)
            identifier = written.id or _unique(f"{written.kind}-{written.at}".replace(".", "-").replace("_", "-"), faults)
            if any(fault.id == identifier for fault in faults):
                findings.add(path, f"the fault id {identifier!r} stands twice")
            faults.append(
                Fault(
                    id=identifier,
                    at=written.at,
                    kind=written.kind,
                    phase=phase.name,
                    apply_ns=apply_ns,
                    clear_ns=clear_ns,
                    parameters=written.parameters(),
                    seed=int.from_bytes(hashlib.sha256(f"{seed}/{identifier}".encode()).digest()[:4]),
                    expects_action=written.expects_action,
                )
            )
    return tuple(faults)


def find_phase(name: str, phases: Sequence[Phase], path: Path, findings: Findings) -> Phase | None:
    """Return the phase of that name, or note that there is none."""
    for phase in phases:
        if phase.name == name:
            return phase
    names = [phase.name for phase in phases]
    findings.add(path, f"no phase is called {name!r}; there are {', '.join(names)}{did_you_mean(name, names)}")
    return None


def _window(written: FaultDocument, phase: Phase, path: Path, findings: Findings) -> tuple[int, int]:
    apply_ns = phase.start_ns + (written.from_ or 0)
    clear_ns = phase.end_ns if written.for_ is None else apply_ns + written.for_
    if clear_ns > phase.end_ns or apply_ns >= phase.end_ns:
        findings.add(path, f"the fault outlasts its phase {phase.name!r}; shorten `from` and `for`, or lengthen the phase")
    return apply_ns, clear_ns


def _unique(base: str, faults: Sequence[Fault]) -> str:
    taken = {fault.id for fault in faults}
    number = 2
    name = base
    while name in taken:
        name = f"{base}-{number}"
        number += 1
    return name


def _show(path: Path) -> str:
    return f"phases[{path[1]}].faults[{path[3]}]"
