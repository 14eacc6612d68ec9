"""The rules for one row of a checklist: what proves it, what fails it, and what may stand in for proof.

A failed result fails the row, in any attempt that counts, and so does one that the row does not ask for but that says
itself that it covers it. A row is verified only when every result that it asks for
passed in a run that may prove it, in every attempt known, and the checklist names no gap. An attestation speaks only for
what no scenario shows. Source: `docs/explanation/readiness.md`.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.errors import did_you_mean
from harness.model.judgement import Status
from harness.model.readiness import Attestation, ChecklistRow, ReleaseRun, RowEvidence, RowResult, RowStatus, Waiver
from harness.readiness.history import HistoryLine, attempts_of

_S = RowStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What every row is judged by. version: the one target version of the runs, None where it is not one or not told.

    history: earlier runs, None where there is no history. superseded: runs that no longer count, by id.
    """

    runs: Sequence[ReleaseRun]
    history: Sequence[HistoryLine] | None
    superseded: frozenset[str]
    version: str | None
    today: datetime.date


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proof:
    """What one `scenario/objective` says."""

    status: RowStatus
    reason: str
    evidence: tuple[RowEvidence, ...] = ()
    attempts: int | None = None


def decide_row(row: ChecklistRow, known: Known, attestation: Attestation | None, waiver: Waiver | None) -> RowResult:
    """Return what became of a row. Pure: the same for the same arguments."""
    proofs = [_prove(ref, known) for ref in row.proven_by]
    attempts = [proof.attempts for proof in proofs if proof.evidence]
    proofs += _against(row, known)
    result = RowResult(
        id=row.id,
        title=row.title,
        area=row.area,
        required=row.required,
        status=_S.NOT_COVERED,
        by=row.proven_by,
        attempts=None if None in attempts or not attempts else max(count for count in attempts if count is not None),
        reason="no scenario shows it: attest it, waive it, or name in proven_by what does",
        gaps=row.gaps,
        evidence=tuple(evidence for proof in proofs for evidence in proof.evidence),
        line=row.line,
    )
    passed = all(proof.status is _S.VERIFIED for proof in proofs)
    unseen = passed and (bool(row.gaps) or not proofs)
    result = _attested(_proved(result, proofs), attestation, unseen=unseen, today=known.today)
    return _waived(_exempted(result, row, known.today), waiver, known.today)


def holds(first: str, last: str, today: datetime.date) -> bool:
    """Return whether today is within two ISO 8601 dates, both included."""
    return first <= today.isoformat() <= last


def _proved(result: RowResult, proofs: Sequence[_Proof]) -> RowResult:
    for status in (_S.FAILED, _S.NOT_PROVEN):
        reasons = [proof.reason for proof in proofs if proof.status is status]
        if reasons:
            more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
            return replace(result, status=status, reason=f"{reasons[0]}{more}")
    if proofs and result.gaps:
        return replace(result, status=_S.NOT_PROVEN, reason=f"what was looked at passed, but no scenario shows: {result.gaps[0]}")
    if proofs:
        return replace(result, status=_S.VERIFIED, reason="; ".join(proof.reason for proof in proofs))
    return result


def _attested(result: RowResult, attestation: Attestation | None, *, unseen: bool, today: datetime.date) -> RowResult:
    """unseen: all that scenarios can show passed, and something is left that none can show. Else no word stands in."""
    if attestation is None or not unseen:
        return result
    who = f"{attestation.owner} on {attestation.date}"
    if not holds(attestation.date, attestation.expires, today):
        when = "expired on " + attestation.expires if today.isoformat() > attestation.expires else "begins on " + attestation.date
        return replace(result, status=_S.NOT_PROVEN, reason=f"the attestation of {attestation.owner} {when}")
    passed = "what scenarios show passed; the rest was " if result.by else ""
    statement = f": {attestation.statement}" if attestation.statement else ""
    return replace(
        result,
        status=_S.ATTESTED,
        reason=f"{passed}attested by {who}{statement}",
        owner=attestation.owner,
        expires=attestation.expires,
        link=attestation.link,
    )


def _exempted(result: RowResult, row: ChecklistRow, today: datetime.date) -> RowResult:
    exemption = row.applies
    if exemption is None:
        return result
    if today.isoformat() > exemption.expires:
        return replace(result, reason=f"{result.reason}; that it does not apply expired on {exemption.expires}")
    if result.status is _S.FAILED:
        return replace(result, reason=f"{result.reason}; it was said not to apply, but it was run and failed")
    return replace(
        result,
        status=_S.NOT_APPLICABLE,
        before=result.status,
        reason=f"does not apply, says {exemption.owner}: {exemption.reason}",
        owner=exemption.owner,
        expires=exemption.expires,
    )


def _waived(result: RowResult, waiver: Waiver | None, today: datetime.date) -> RowResult:
    if waiver is None or result.status in (_S.VERIFIED, _S.ATTESTED, _S.NOT_APPLICABLE):
        return result
    if not holds(waiver.date, waiver.expires, today):
        when = f"expired on {waiver.expires}" if today.isoformat() > waiver.expires else f"begins on {waiver.date}"
        return replace(result, reason=f"{result.reason}; the waiver of {waiver.owner} {when}")
    if result.status is _S.FAILED and not waiver.accepts_failure:
        return replace(result, reason=f"{result.reason}; the waiver of {waiver.owner} does not accept a failure")
    return replace(
        result,
        status=_S.WAIVED,
        before=result.status,
        reason=f"waived by {waiver.owner}: {waiver.reason} (it was {result.status.value}: {result.reason})",
        owner=waiver.owner,
        expires=waiver.expires,
        link=waiver.link or None,
    )


def _against(row: ChecklistRow, known: Known) -> list[_Proof]:
    """Return the failures that say themselves that they are of this row, and that it does not ask for.

    A scenario that stands for several in a bundle has their results under its own name: they prove no row, since what is
    asked for is asked for by the other names, but a row is not verified beside them.
    """
    unasked = [
        RowEvidence(ref=ref, run_id=run.run_id, counts=run.proves, judgement=judgement)
        for run in known.runs
        if run.fails
        for judgement in run.results
        if judgement.status is Status.FAIL and row.id in judgement.covers
        if (ref := f"{run.scenario}/{judgement.id}") not in row.proven_by
    ]
    says = f"failed, which says that it covers {row.id}"
    return [
        _Proof(status=_S.FAILED, reason=f"{item.ref}{_where(item)} {says}: {item.judgement.reason}", evidence=(item,))
        for item in unasked
    ]


def _prove(ref: str, known: Known) -> _Proof:
    scenario, _, objective = ref.partition("/")
    given = [run for run in known.runs if run.scenario == scenario]
    if not given:
        return _Proof(status=_S.NOT_PROVEN, reason=f"no run of {scenario} was given")
    counted = [run for run in given if run.fails or run.proves]
    evidence = tuple(
        RowEvidence(ref=ref, run_id=run.run_id, counts=run.proves, judgement=judgement)
        for run in counted
        for judgement in run.results
        if judgement.id == objective
    )
    earlier = _earlier(scenario, counted, known)
    attempts = None
    if known.history is not None and known.version is not None:
        ids = {run.run_id for run in given if run.target_version == known.version and not run.overridden}
        attempts = len(ids) + sum(line.run_id not in ids for line in earlier)
    status, reason = _gravest(objective, ref, given, evidence, [e for e in earlier if e.run_id not in known.superseded])
    return _Proof(status=status, reason=reason, evidence=evidence, attempts=attempts)


def _earlier(scenario: str, counted: Sequence[ReleaseRun], known: Known) -> list[HistoryLine]:
    """Return the attempts of these runs that were not given."""
    if known.history is None or known.version is None:
        return []
    given = {run.run_id for run in known.runs}
    digests = {run.scenario_digest for run in counted}
    return [
        line
        for digest in sorted(digests)
        for line in attempts_of(known.history, scenario, digest, known.version)
        if line.run_id not in given
    ]


def _gravest(
    objective: str,
    ref: str,
    given: Sequence[ReleaseRun],
    evidence: Sequence[RowEvidence],
    earlier: Sequence[HistoryLine],
) -> tuple[RowStatus, str]:
    """Return the status of a reference and why: the gravest attempt decides."""
    for item in evidence:
        if item.judgement.status is Status.FAIL:
            return _S.FAILED, f"{ref}{_where(item)} failed: {item.judgement.reason}"
    for line in earlier:
        if Status.FAIL in line.results.get(objective, ()):
            return _S.FAILED, f"{ref} failed in run {line.run_id}, which the history knows and nobody gave"
    counted = [run for run in given if run.fails or run.proves]
    if not counted:
        return _S.NOT_PROVEN, f"no run of {given[0].scenario} counts: {given[0].why_not[0]}"
    if not evidence:
        known = sorted({judgement.id for run in counted for judgement in run.results})
        return _S.NOT_PROVEN, f"{counted[0].scenario} has no result {objective!r}{did_you_mean(objective, known)}"
    for item in evidence:
        if item.judgement.status is not Status.PASS:
            return _S.NOT_PROVEN, f"{ref}{_where(item)} is {item.judgement.status.value}: {item.judgement.reason}"
    for line in earlier:
        found = line.results.get(objective, ())
        if not found or any(status is not Status.PASS for status in found):
            what = "was never judged" if line.verdict is None else f"was {line.verdict.value}"
            return (
                _S.NOT_PROVEN,
                f"run {line.run_id} of {line.scenario} {what} and was not given: give it, or supersede it by name",
            )
    if not any(item.counts for item in evidence):
        return _S.NOT_PROVEN, f"{ref} passed, but run {counted[0].run_id} proves nothing: {counted[0].why_not[0]}"
    phases = sum(item.counts for item in evidence)
    return _S.VERIFIED, f"{ref} passed" + (f" ({phases} results)" if phases > 1 else "")


def _where(item: RowEvidence) -> str:
    return f" in {item.judgement.phase}" if item.judgement.phase else ""
