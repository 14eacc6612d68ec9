"""The objectives of a scenario in their explicit form: what, over which phases, and which limit."""

from collections.abc import Sequence

from harness.documents.findings import Findings
from harness.documents.located import Path
from harness.errors import did_you_mean
from harness.model.objective import Objective, Quantity
from harness.model.plan import Phase, PhaseKind
from harness.scenario.document import ObjectiveDocument, ScenarioDocument
from harness.scenario.faults import find_phase
from harness.scenario.objectives import ShortForm, parse_short_form

_KEYS: dict[str, tuple[Quantity, str]] = {
    "latency": (Quantity.LATENCY, "latency"),
    "time_to_first_token": (Quantity.TTFT, "time to first token"),
    "error_rate": (Quantity.ERROR_SHARE, "error rate"),
    "fallback_share": (Quantity.FALLBACK_SHARE, "fallback share"),
    "recovered_within": (Quantity.RECOVERY, "recovered within"),
    "spend": (Quantity.SPEND, "spend"),
}


def compile_objectives(
    document: ScenarioDocument,
    phases: Sequence[Phase],
    classes: Sequence[str],
    planned_usd: float,
    findings: Findings,
) -> tuple[Objective, ...]:
    """Return the objectives in the order written; notes those that cannot be understood."""
    objectives: list[Objective] = []
    for index, part in enumerate(document.objectives):
        path: Path = ("objectives", index)
        given = [(key, text) for key in _KEYS if (text := getattr(part, key)) is not None]
        if len(given) != 1:
            names = ", ".join(name for _, name in _KEYS.values())
            found = "none" if not given else " and ".join(_KEYS[key][1] for key, _ in given)
            findings.add(path, f"an objective names one quantity ({names}); this one names {found}")
            continue
        quantity, key = _KEYS[given[0][0]]
        try:
            short = parse_short_form(quantity, given[0][1])
        except ValueError as error:
            findings.add((*path, key), f"{key}: {error}")
            continue
        _check_classes(part, classes, path, findings)
        after, during = _places(part, short, phases, path, findings)
        limit = short.limit if short.limit_of_planned is None else short.limit_of_planned * planned_usd
        objectives.append(
            Objective(
                id=_identifier(part, short, during, objectives, path, findings),
                kind=short.kind,
                quantity=quantity,
                op=short.op,
                limit=limit,
                written=f"{key} {given[0][1]}",
                threshold_ns=short.threshold_ns,
                permille=short.permille,
                during=during,
                after=after,
                covers=tuple(part.covers),
                severity=part.severity,
                classes=tuple(part.classes),
                line=findings.line_of(path),
            )
        )
    return tuple(objectives)


def _places(
    part: ObjectiveDocument, short: ShortForm, phases: Sequence[Phase], path: Path, findings: Findings
) -> tuple[str | None, tuple[str, ...]]:
    """Return (after, during). By default every phase but the warm-up is judged; spend and recovery have none."""
    if short.quantity is Quantity.RECOVERY:
        return _after(part, phases, path, findings), ()
    if part.after is not None:
        findings.add((*path, "after"), "`after` belongs to `recovered within`; use `during`")
    if short.quantity is Quantity.SPEND:
        if part.during is not None:
            findings.add((*path, "during"), "spend is judged over the whole run")
        return None, ()
    if part.during is None:
        return None, tuple(phase.name for phase in phases if phase.kind is not PhaseKind.WARMUP)
    names = [part.during] if isinstance(part.during, str) else part.during
    if not names:
        findings.add((*path, "during"), "`during` names no phase")
    for name in names:
        phase = find_phase(name, phases, (*path, "during"), findings)
        if phase is not None and phase.kind is PhaseKind.WARMUP:
            findings.add((*path, "during"), f"{name!r} is a warm-up: nothing in it is judged")
    return None, tuple(names)


def _after(part: ObjectiveDocument, phases: Sequence[Phase], path: Path, findings: Findings) -> str | None:
    if part.during is not None:
        findings.add((*path, "during"), "`recovered within` takes `after: PHASE`, not `during`")
    if part.after is None:
        faulty = [phase.name for phase in phases if phase.kind is PhaseKind.FAULT]
        findings.add(path, f"`recovered within` needs `after`, the fault phase: {', '.join(faulty) or 'there is none'}")
        return None
    phase = find_phase(part.after, phases, (*path, "after"), findings)
    if phase is not None and phase.kind is not PhaseKind.FAULT:
        findings.add((*path, "after"), f"{part.after!r} is of kind {phase.kind.value}; recovery follows a fault phase")
    if phase is not None and phase is phases[-1]:
        findings.add((*path, "after"), f"nothing follows {part.after!r}: add a phase of kind recovery to see one")
    return part.after


def _identifier(
    part: ObjectiveDocument,
    short: ShortForm,
    during: Sequence[str],
    objectives: Sequence[Objective],
    path: Path,
    findings: Findings,
) -> str:
    taken = {objective.id for objective in objectives}
    if part.id is not None:
        if part.id in taken:
            findings.add((*path, "id"), f"the objective id {part.id!r} stands twice")
        return part.id
    candidates = [short.base_id]
    if part.during is not None:
        candidates.append(f"{short.base_id}-{'-'.join(during)}")
    if part.after is not None:
        candidates.append(f"{short.base_id}-{part.after}")
    candidates += [f"{short.base_id}-{number}" for number in range(2, 100)]
    return next(name for name in candidates if name not in taken)


def _check_classes(part: ObjectiveDocument, classes: Sequence[str], path: Path, findings: Findings) -> None:
    for name in part.classes:
        if name not in classes:
            hint = did_you_mean(name, classes)
            findings.add((*path, "classes"), f"no user class is called {name!r}; the mix has {', '.join(classes)}{hint}")
