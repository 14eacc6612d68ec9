"""What plug-ins judge, done once, in the run itself, and kept: `judge` and `report` read it and import nobody's code."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from harness.errors import FaultError, RunDirectoryError, StorageError
from harness.extensions.found import Extensions
from harness.extensions.kinds import CheckExtension, Counted, Figure, ObjectiveExtension
from harness.faults.bounded import run_bounded
from harness.judge.ratio import judge_events
from harness.judge.rows import row_of
from harness.measure import Reading
from harness.measure.shares import Events, selected
from harness.model.judgement import Judgement, Recorded, Shown, Status, Test
from harness.model.objective import Kind, Objective, Quantity, Severity
from harness.model.plan import PhaseKind, PlannedCheck

T = TypeVar("T")

WITHIN_S = 60.0
"""The longest that one plug-in may look at a run."""


def judge_extensions(reading: Reading, extensions: Extensions, *, within_s: float = WITHIN_S) -> Recorded:
    """Return what the plug-ins of a run judge. One that raises or hangs has judged nothing: inconclusive, with the reason."""
    rows: list[Judgement] = []
    for objective in reading.plan.objectives:
        if objective.quantity is Quantity.EXTENSION:
            rows += _objective(reading, objective, extensions, within_s)
    for check in reading.plan.checks:
        if check.name in extensions.checks and check.not_offered is None:
            rows.append(_check(reading, check, extensions, within_s))
    digests = {reference.path: reference.digest for reference in reading.plan.plugins}
    return Recorded(judgements=tuple(rows), plugins=digests)


def _objective(reading: Reading, objective: Objective, extensions: Extensions, within_s: float) -> list[Judgement]:
    extension = extensions.objectives[objective.expression or ""]
    where = f"plug-in {extensions.sources[extension.name]}, objective {extension.name}"
    phases = objective.during or tuple(p.name for p in reading.plan.phases if p.kind is not PhaseKind.WARMUP)
    try:
        if extension.share is not None:
            counted = _ask(where, lambda: _checked_share(extension, reading), within_s)
            events = _events(objective, reading, counted)
            return [judge_events(reading, objective, phase, events, hits=extension.title) for phase in phases]
        return [_figure(objective, _ask(where, lambda: _checked_figure(extension, reading), within_s))]
    except FaultError as error:
        places = phases if extension.share is not None else (None,)
        return [row_of(objective, Status.INCONCLUSIVE, error.message, phase=phase) for phase in places]


def _events(objective: Objective, reading: Reading, counted: Counted) -> Events:
    """Return the two masks as an objective of the harness's own has them: of the ordinary load, and what is bad of it."""
    whole = counted.whole & selected(objective, reading.requests) & reading.requests.mix
    return Events(whole, whole & (counted.hits if objective.op == "<=" else ~counted.hits))


def _checked_share(extension: ObjectiveExtension, reading: Reading) -> Counted:
    assert extension.share is not None
    counted = extension.share(reading)
    size = reading.requests.size
    if not isinstance(counted, Counted) or any(
        getattr(mask, "shape", None) != (size,) or str(getattr(mask, "dtype", "")) != "bool"
        for mask in (counted.whole, counted.hits)
    ):
        raise FaultError(f"share must return Counted(whole, hits), two arrays of truths over the {size} requests")
    return counted


def _checked_figure(extension: ObjectiveExtension, reading: Reading) -> Figure:
    assert extension.figure is not None
    figure = extension.figure(reading)
    if not isinstance(figure, Figure):
        raise FaultError(f"figure must return Figure(...), not {type(figure).__name__}")
    return figure


def _figure(objective: Objective, figure: Figure) -> Judgement:
    name = objective.expression or ""
    test = Test(quantity=name.replace(" ", "_"), op=objective.op, limit=objective.limit, value=figure.value, n=figure.of)
    shown = Shown(quantity=name, unit="count", value=figure.value)
    value = figure.value
    if value is None or value != value or figure.of == 0:  # NaN is no figure either  # noqa: PLR0124
        status = Status.INCONCLUSIVE
    else:
        holds = value <= objective.limit if objective.op == "<=" else value >= objective.limit
        status = Status.PASS if holds else Status.FAIL
    word = "at most" if objective.op == "<=" else "at least"
    return row_of(objective, status, f"{figure.says} (limit {word} {objective.limit:g})", test=test, shown=shown)


def _check(reading: Reading, check: PlannedCheck, extensions: Extensions, within_s: float) -> Judgement:
    extension: CheckExtension = extensions.checks[check.name]
    where = f"plug-in {extensions.sources[extension.name]}, check {check.name}"
    empty = Judgement(
        id=check.id,
        kind=Kind.CHECK,
        severity=Severity.GATE,
        status=Status.INCONCLUSIVE,
        reason="",
        covers=check.covers,
        phase=check.phase,
        written=check.name,
    )
    try:
        found = _ask(where, lambda: extension.judge(reading, check), within_s)
        if not isinstance(found, Judgement):
            raise FaultError(f"{where}: judge must return a Judgement, not {type(found).__name__}")
    except FaultError as error:
        return replace(empty, reason=error.message)
    # What a row is of is the plan's to say: a plug-in must not answer for another's row, nor for less than it was asked.
    return replace(found, id=check.id, kind=Kind.CHECK, severity=Severity.GATE, covers=check.covers, phase=check.phase)


def _ask(where: str, work: Callable[[], T], within_s: float) -> T:
    answer: list[T] = []
    error, _ = run_bounded(lambda: answer.append(work()), within_s)
    if error is None:
        return answer[0]
    if isinstance(error, RunDirectoryError | StorageError):
        raise error
    told = error.message if isinstance(error, FaultError) else f"it raised {type(error).__name__}: {error}"
    raise FaultError(f"{where}: {told}") from error
