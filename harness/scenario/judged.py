"""The objectives of a scenario in their explicit form: what, over which phases, and which limit."""

from collections.abc import Mapping, Sequence

from harness.documents.findings import Findings
from harness.documents.located import Path
from harness.errors import did_you_mean
from harness.model.objective import Kind, Objective, Quantity, Waiver
from harness.model.plan import LoadPlan, Phase, PhaseKind
from harness.model.units import format_duration
from harness.scenario.document import ObjectiveDocument, ScenarioDocument
from harness.scenario.faults import find_phase
from harness.scenario.objectives import (
    DURATIONS,
    WHOLE_RUN,
    ShortForm,
    parse_explicit,
    parse_extension,
    parse_short_form,
    quantity_of,
)

_KEYS: dict[str, Quantity] = {
    name: Quantity(key) for name, field in ObjectiveDocument.model_fields.items() if (key := field.alias or name) in set(Quantity)
}
"""The document's field of each quantity that has a short form."""

QUANTITIES: dict[str, Quantity] = {quantity.value: quantity for quantity in _KEYS.values()}
"""What an objective can be about, by the name that users write."""


def compile_objectives(
    document: ScenarioDocument,
    phases: Sequence[Phase],
    load: LoadPlan,
    planned_usd: float,
    findings: Findings,
    measures: Mapping[str, Kind],
) -> tuple[Objective, ...]:
    """Return the objectives in the order written; notes those that cannot be understood.

    measures: what plug-ins measure: a share of requests (RATIO), or a figure of the whole run (BUDGET).
    """
    objectives: list[Objective] = []
    for index, part in enumerate(document.objectives):
        path: Path = ("objectives", index)
        if (asked := _asked(part, path, findings, measures)) is None:
            continue
        short, written = asked
        _check_selectors(part, short, load, path, findings)
        after, during = _places(part, short, phases, path, findings)
        limit = short.limit if short.limit_of_planned is None else short.limit_of_planned * planned_usd
        objective = Objective(
            id=_identifier(part, short, during, objectives, path, findings),
            kind=short.kind,
            quantity=short.quantity,
            op=short.op,
            limit=limit,
            written=written,
            threshold_ns=short.threshold_ns,
            permille=short.permille,
            during=during,
            after=after,
            covers=tuple(part.covers),
            severity=part.severity,
            classes=tuple(part.classes),
            principals=tuple(part.principals),
            models=tuple(part.models),
            streamed=part.streamed,
            refusals=tuple(refusal.value for refusal in part.refusals),
            expression=short.expression,
            sources=tuple(part.logs),
            slo=short.slo,
            windows_ns=short.windows_ns,
            owner=part.owner,
            waiver=None
            if part.waiver is None
            else Waiver(owner=part.waiver.owner, reason=part.waiver.reason, expires=part.waiver.expires),
            line=findings.line_of(path),
        )
        _check_contradiction(objective, objectives, path, findings)
        objectives.append(objective)
    return tuple(objectives)


def _asked(part: ObjectiveDocument, path: Path, findings: Findings, measures: Mapping[str, Kind]) -> tuple[ShortForm, str] | None:
    """Return what an objective asks and how it is written; None where it cannot be understood."""
    given = [(quantity, text) for key, quantity in _KEYS.items() if (text := getattr(part, key)) is not None]
    explicit = [key for key in ("threshold", "at_most", "at_least") if getattr(part, key) is not None]
    if len(given) + (part.measure is not None) != 1:
        found = [quantity.value for quantity, _ in given] + (["measure"] if part.measure is not None else [])
        findings.add(
            path,
            f"an objective names one quantity ({', '.join(QUANTITIES)}) or `measure`; "
            f"this one names {' and '.join(found) or 'none'}",
        )
        return None
    if part.measure is None:
        quantity, text = given[0]
        if explicit:
            findings.add((*path, explicit[0]), f"`{explicit[0]}` belongs to the explicit form, with `measure: {quantity.value}`")
        try:
            return parse_short_form(quantity, text), f"{quantity.value} {text}"
        except ValueError as error:
            findings.add((*path, quantity.value), f"{quantity.value}: {error}")
            return None
    try:
        if part.measure in measures:
            short = parse_extension(part.measure, measures[part.measure], part.threshold, part.at_most, part.at_least)
        else:
            quantity = quantity_of(part.measure, {**QUANTITIES, **dict.fromkeys(measures, Quantity.EXTENSION)})
            short = parse_explicit(quantity, part.threshold, part.at_most, part.at_least)
    except ValueError as error:
        findings.add((*path, "measure"), f"{part.measure}: {error}")
        return None
    bound = f"at most {part.at_most}" if part.at_least is None else f"at least {part.at_least}"
    beyond = "" if part.threshold is None else f" beyond {format_duration(part.threshold)}"
    return short, f"{part.measure}{beyond} {bound}"


def _places(
    part: ObjectiveDocument, short: ShortForm, phases: Sequence[Phase], path: Path, findings: Findings
) -> tuple[str | None, tuple[str, ...]]:
    """Return (after, during). By default every phase but the warm-up is judged; money and times after a fault have none."""
    if short.quantity in DURATIONS:
        return _after(part, short, phases, path, findings), ()
    if part.after is not None:
        findings.add((*path, "after"), "`after` belongs to times after a fault, such as `recovered within`; use `during`")
    if short.quantity in WHOLE_RUN or (short.quantity is Quantity.EXTENSION and short.kind is Kind.BUDGET):
        if part.during is not None:
            findings.add((*path, "during"), f"{short.quantity.value} is judged over the whole run")
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


def _after(part: ObjectiveDocument, short: ShortForm, phases: Sequence[Phase], path: Path, findings: Findings) -> str | None:
    if part.during is not None:
        findings.add((*path, "during"), f"`{short.quantity.value}` takes `after: PHASE`, not `during`")
    if part.after is None:
        faulty = [phase.name for phase in phases if phase.kind is PhaseKind.FAULT]
        findings.add(path, f"`{short.quantity.value}` needs `after`, the fault phase: {', '.join(faulty) or 'there is none'}")
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


def _user(number: int) -> str:
    """Return a user's name. Only where a scenario names one: a fast run has millions, and naming them all took seconds."""
    return f"user-{number:04d}"


def _check_selectors(part: ObjectiveDocument, short: ShortForm, load: LoadPlan, path: Path, findings: Findings) -> None:
    """Note selectors that match nothing: an objective over nothing must never look like one that was met."""
    classes = [user_class.name for user_class in load.mix]
    for name in part.classes:
        if name not in classes:
            what = f"no user class is called {name!r}; the mix has {', '.join(classes)}{did_you_mean(name, classes)}"
            findings.add((*path, "classes"), what)
    for name in part.principals:
        if not any(name == _user(number) for number in range(load.principals)):
            what = f"no user is called {name!r}; the load has {_user(0)} to {_user(load.principals - 1)}"
            findings.add((*path, "principals"), what)
    models = sorted({user_class.model for user_class in load.mix if user_class.model})
    for name in part.models:
        if name not in models:
            what = (
                f"no class of the mix asks for the model {name!r}; they ask for {', '.join(models)}{did_you_mean(name, models)}"
            )
            findings.add((*path, "models"), what)
    if part.streamed is not None and load.streamed_ratio in (0.0, 1.0) and part.streamed is (load.streamed_ratio == 0.0):
        findings.add((*path, "streamed"), f"`load.stream` is {load.streamed_ratio:.0%}: there is no such request")
    if part.refusals and short.quantity not in (Quantity.REFUSAL_SHARE, Quantity.REFUSAL_LATENCY):
        findings.add(
            (*path, "refusals"), f"`refusals` belongs to refusal share and refusal latency, not to {short.quantity.value}"
        )
    if part.logs and short.quantity is not Quantity.LOG_RULE:
        findings.add((*path, "logs"), f"`logs` belongs to a log rule, not to {short.quantity.value}")
    picks = [key for key in ("classes", "principals", "models", "streamed") if getattr(part, key) not in ([], None)]
    if picks and short.kind is not Kind.RATIO and short.quantity is not Quantity.LONGEST_WAIT:
        findings.add((*path, picks[0]), f"{short.quantity.value} is not judged by {picks[0]}")


def _check_contradiction(objective: Objective, others: Sequence[Objective], path: Path, findings: Findings) -> None:
    """Note a share that must be above one limit and below a lower one, of the same requests in the same phase."""

    def whom(o: Objective) -> tuple[object, ...]:
        return (o.quantity, o.expression, o.classes, o.principals, o.models, o.streamed, o.refusals)

    for other in others:
        if objective.kind is not Kind.RATIO or whom(other) != whom(objective) or other.op == objective.op:
            continue
        floor, ceiling = (objective, other) if objective.op == ">=" else (other, objective)
        if floor.limit > ceiling.limit and (both := sorted(set(floor.during) & set(ceiling.during))):
            findings.add(path, f"{objective.written} contradicts {other.written} (line {other.line}) in phase {', '.join(both)}")
