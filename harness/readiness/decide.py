"""From rows and runs to one decision for a release. Pure: files were read before, and the clock is an argument."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from harness.model.judgement import Status
from harness.model.readiness import (
    DECISION_EXIT_CODES,
    Attestation,
    Change,
    Checklist,
    Decision,
    Held,
    InputDigest,
    Previous,
    Problem,
    Readiness,
    ReleaseRun,
    RowResult,
    RowStatus,
    Supersession,
    Waiver,
)
from harness.readiness.history import History
from harness.readiness.rows import Known, decide_row, holds

_E = TypeVar("_E", Attestation, Waiver)

_SETTLED = (RowStatus.VERIFIED, RowStatus.ATTESTED, RowStatus.WAIVED, RowStatus.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that a decision rests on, read and at hand. history: None where there is none."""

    release: str
    checklist: Checklist
    runs: Sequence[ReleaseRun]
    now: datetime.datetime
    harness_version: str
    attestations: Sequence[Attestation] = ()
    waivers: Sequence[Waiver] = ()
    superseded: Sequence[Supersession] = ()
    history: History | None = None
    previous: Readiness | None = None
    problems: Sequence[Problem] = ()
    inputs: Sequence[InputDigest] = ()
    max_age_days: float | None = None
    labels: Mapping[str, str] | None = None


def decide(case: Case) -> Readiness:
    """Return the readiness document of a release."""
    target, version, runs, mixed = _one_target(case.runs)
    problems = [*case.problems, *mixed, *_of_history(case, runs)]
    known = Known(
        runs=runs,
        history=None if case.history is None else case.history.runs,
        superseded=frozenset(each.run for each in case.superseded),
        version=version,
        today=case.now.date(),
    )
    attestations = _last_by_row(case.attestations, known.today)
    waivers = _last_by_row(case.waivers, known.today)
    rows = tuple(
        decide_row(row, known, attestations.get(row.id), waivers.get(row.id)) for row in case.checklist.rows
    )  # fmt: skip
    problems += _unheard(runs, rows)
    decision, reasons = _decide(rows, problems)
    return Readiness(
        release=case.release,
        decision=decision,
        exit_code=int(DECISION_EXIT_CODES[decision]),
        reasons=tuple(reasons),
        created_at=case.now.isoformat(timespec="seconds"),
        harness_version=case.harness_version,
        checklist=case.checklist.title,
        target=target,
        target_version=version,
        rows=rows,
        runs=tuple(runs),
        problems=tuple(problems),
        held=tuple(_held(case, rows, known.today)),
        signers=case.checklist.signers,
        previous=None if case.previous is None else _as_previous(case.previous),
        changes=() if case.previous is None else tuple(changes_since(case.previous, rows)),
        inputs=tuple(case.inputs),
        max_age_days=case.max_age_days,
        history_known=case.history is not None,
        labels=case.labels or {},
    )


def changes_since(previous: Readiness, rows: Sequence[RowResult]) -> list[Change]:
    """Return the rows that are not what they were, in the order of the checklist, then those no longer asked for."""
    before = {row.id: row for row in previous.rows}
    now = {row.id: row for row in rows}
    changed = [
        Change(row=row.id, title=row.title, before=before[row.id].status if row.id in before else None, now=row.status)
        for row in rows
        if row.id not in before or before[row.id].status is not row.status
    ]
    gone = [Change(row=row.id, title=row.title, before=row.status, now=None) for row in previous.rows if row.id not in now]
    return changed + gone


def _one_target(runs: Sequence[ReleaseRun]) -> tuple[str | None, str | None, list[ReleaseRun], list[Problem]]:
    """Return the one target and version that was tested. Where there are several, no run proves anything."""
    counted = [run for run in runs if run.fails or run.proves]
    targets = sorted({(run.target, run.target_version or "of no known version") for run in counted})
    mixed: list[str] = []
    if len(targets) > 1:
        names = ", ".join(f"{name} {version}" for name, version in targets)
        mixed.append(f"the runs are of {len(targets)} targets or versions ({names}): a release is one")
    for scenario in sorted({run.scenario for run in counted}):
        digests = {run.scenario_digest for run in counted if run.scenario == scenario}
        if len(digests) > 1:
            mixed.append(f"{scenario} was changed between the runs ({', '.join(sorted(d[:12] for d in digests))})")
    problems = [Problem(text=f"{text}; no row is verified while they are mixed", blocks=True) for text in mixed]
    if mixed:
        runs = [replace(run, proves=False, why_not=(*run.why_not, *mixed)) for run in runs]
    one = targets[0][0] if len(targets) == 1 else None
    version = counted[0].target_version if len(targets) == 1 else None
    if len(targets) == 1 and version is None:
        problems.append(Problem(text=f"the target {one} told no version: attempts cannot be counted", blocks=False))
    return one, version, list(runs), problems


def _of_history(case: Case, runs: Sequence[ReleaseRun]) -> list[Problem]:
    if case.history is None:
        return [Problem(text="no history was given: how often each scenario was attempted is unknown", blocks=False)]
    problems = [Problem(text=text, blocks=True) for text in case.history.problems]
    ids = {line.run_id for line in case.history.runs}
    problems += [
        Problem(text=f"the history does not know run {run.run_id}: there may be more attempts than it tells", blocks=False)
        for run in runs
        if run.run_id not in ids
    ]
    return problems


def _unheard(runs: Sequence[ReleaseRun], rows: Sequence[RowResult]) -> list[Problem]:
    """Return the failures that no row speaks of: nothing fails in silence."""
    heard = {(item.run_id, item.judgement.id) for row in rows for item in row.evidence}
    lost = [
        (run, judgement)
        for run in runs
        if run.fails
        for judgement in run.results
        if judgement.status is Status.FAIL and (run.run_id, judgement.id) not in heard
    ]
    return [
        Problem(text=f"{judgement.id} failed in run {run.run_id} and no row of the checklist asks for it: {judgement.reason}",
                blocks=True)
        for run, judgement in lost
    ]  # fmt: skip


def _decide(rows: Sequence[RowResult], problems: Sequence[Problem]) -> tuple[Decision, list[str]]:
    failed = [row for row in rows if row.status is RowStatus.FAILED]
    required = [row for row in rows if row.required]
    open_rows = [row for row in required if row.status not in _SETTLED]
    reasons = [f"{row.id} failed ({_by_what(row)}): {row.title}" for row in failed]
    reasons += [problem.text for problem in problems if problem.blocks]
    if not required:
        reasons.append("the checklist requires no row, so nothing would be proven by it")
    for status in (RowStatus.NOT_PROVEN, RowStatus.NOT_COVERED):
        names = [row.id for row in open_rows if row.status is status]
        if names:
            reasons.append(f"{len(names)} of {len(required)} required rows {'is' if len(names) == 1 else 'are'} {status.value}: "
                           f"{', '.join(names)}")  # fmt: skip
    if failed:
        return Decision.NOT_READY, reasons
    if reasons:
        return Decision.NOT_PROVEN, reasons
    counts = [(status, sum(row.status is status for row in required)) for status in _SETTLED]
    told = ", ".join(f"{count} {status.value}" for status, count in counts if count)
    return Decision.READY, [f"all {len(required)} required rows are settled: {told}"]


def _by_what(row: RowResult) -> str:
    """Return which results failed a row, and in which run where it was not given."""
    failed = [item for item in row.evidence if item.judgement.status is Status.FAIL]
    if not failed:
        return row.reason
    where = dict.fromkeys(f"{item.ref} in {item.judgement.phase}" if item.judgement.phase else item.ref for item in failed)
    return ", ".join(where)


def _last_by_row(entries: Sequence[_E], today: datetime.date) -> dict[str, _E]:
    """Return one entry a row: one that holds before one that does not, then the one that expires last."""
    ordered = sorted(entries, key=lambda entry: (holds(entry.date, entry.expires, today), entry.expires))
    return {entry.row: entry for entry in ordered}


def _held(case: Case, rows: Sequence[RowResult], today: datetime.date) -> list[Held]:
    status = {row.id: row for row in rows}
    listed = []
    for attestation in case.attestations:
        row = status[attestation.row]
        used = row.status is RowStatus.ATTESTED and row.owner == attestation.owner and row.expires == attestation.expires
        listed.append(
            Held(kind="attestation", subject=attestation.row, owner=attestation.owner, date=attestation.date,
                 expires=attestation.expires, text=attestation.statement, link=attestation.link, holds=used,
                 note="" if used else _why_unused(attestation, row, today))
        )  # fmt: skip
    for waiver in case.waivers:
        row = status[waiver.row]
        used = row.status is RowStatus.WAIVED and row.owner == waiver.owner and row.expires == waiver.expires
        listed.append(
            Held(kind="waiver", subject=waiver.row, owner=waiver.owner, date=waiver.date, expires=waiver.expires,
                 text=waiver.reason, link=waiver.link, holds=used, note="" if used else _why_unused(waiver, row, today))
        )  # fmt: skip
    runs = {run.run_id for run in case.runs} | {line.run_id for line in (case.history.runs if case.history else ())}
    for each in case.superseded:
        known = each.run in runs
        listed.append(
            Held(kind="superseded run", subject=each.run, owner=each.owner, date=each.date, expires=None, text=each.reason,
                 link="", holds=known, note="" if known else "no such run is known")
        )  # fmt: skip
    return listed


def _why_unused(entry: Attestation | Waiver, row: RowResult, today: datetime.date) -> str:
    if not holds(entry.date, entry.expires, today):
        return f"expired on {entry.expires}" if today.isoformat() > entry.expires else f"begins on {entry.date}"
    if row.status is RowStatus.FAILED:
        return "the row failed, and this does not stand in for it"
    if isinstance(entry, Attestation) and row.by:
        return f"a scenario can show this row, and no word stands in for that; it is {row.status.value}"
    return f"not needed: the row is {row.status.value}"


def _as_previous(previous: Readiness) -> Previous:
    return Previous(release=previous.release, decision=previous.decision, created_at=previous.created_at)
