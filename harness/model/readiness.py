"""The readiness of a release: what was asked of it, what proves each row, and who decided.

`readiness.json` is a Readiness. The rules that make one stand in `harness.readiness`, the forms in `harness.report`.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.errors import ExitCode
from harness.model.judgement import InstrumentHealth, Judgement, Status


class RowStatus(enum.StrEnum):
    """What became of one row of the checklist."""

    VERIFIED = "verified"  # every result that it asks for passed
    FAILED = "failed"  # at least one of them failed, in any attempt that counts
    NOT_PROVEN = "not proven"  # something that could prove it exists, and did not
    ATTESTED = "attested"  # cannot be seen from outside; a named owner vouches for it
    WAIVED = "waived"
    NOT_COVERED = "not covered"  # nothing in the checklist could prove it
    NOT_APPLICABLE = "not applicable"


class Decision(enum.StrEnum):
    """What the evidence says of a release. People decide; see `SignOff`."""

    READY = "ready"
    NOT_READY = "not ready"
    NOT_PROVEN = "not proven"


DECISION_EXIT_CODES: Mapping[Decision, ExitCode] = {
    Decision.READY: ExitCode.PASS,
    Decision.NOT_READY: ExitCode.FAIL,
    Decision.NOT_PROVEN: ExitCode.INCONCLUSIVE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """Why a row does not apply. expires: ISO 8601 date, the last day that it holds."""

    reason: str
    owner: str
    expires: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistRow:
    """One row as the checklist asks for it.

    proven_by: `scenario/objective` or `scenario/check`, every result of each must pass.
    gaps: what the row asks for and `proven_by` does not show; with one, the row is never verified.
    line: where it stands in the file.
    """

    id: str
    title: str
    area: str = ""
    required: bool = True
    proven_by: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    applies: Exemption | None = None
    line: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """What a release is asked for. signers: who may sign, empty for anybody. path: as given, `default` for our own."""

    title: str
    rows: tuple[ChecklistRow, ...]
    path: str
    digest: str
    signers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """A person's word for a row that no program can see. Dates are ISO 8601; `expires` is the last day."""

    row: str
    owner: str
    date: str
    expires: str
    link: str
    statement: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A row set aside by a named owner; what it was before stays visible.

    accepts_failure: the owner knows that the row failed and goes on all the same; without it a failed row stays failed.
    """

    row: str
    owner: str
    date: str
    expires: str
    reason: str
    link: str = ""
    accepts_failure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Supersession:
    """A run that no longer counts, by name, with the reason and who says so."""

    run: str
    owner: str
    date: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowEvidence:
    """One result that speaks for or against a row. counts: whether it may prove the row; a fail always counts."""

    ref: str
    run_id: str
    counts: bool
    judgement: Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """One row as it was decided.

    by: the `scenario/objective` names that decided. attempts: how many runs of their scenario, digest and target
    version are known, the most of any; None where that is not known.
    before: the status without its waiver or exemption. reason: one sentence that a person can act on.
    owner, expires, link: of the attestation, waiver or exemption that applies.
    """

    id: str
    title: str
    status: RowStatus
    by: tuple[str, ...]
    attempts: int | None
    required: bool
    reason: str
    area: str = ""
    gaps: tuple[str, ...] = ()
    evidence: tuple[RowEvidence, ...] = ()
    before: RowStatus | None = None
    owner: str | None = None
    expires: str | None = None
    link: str | None = None
    line: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRun:
    """One run that a release was judged by.

    proves: whether its passes count; fails: whether its failures count; why_not: one sentence for each reason that
    something does not. overridden: by `--set`. catalogue: whether the scenario is, byte for byte, the one that comes
    with this harness; None where none of that name does.
    manifest_digest: sha256 of `manifest.json`, which holds the digest of everything measured.
    """

    run_id: str
    directory: str
    scenario: str
    scenario_digest: str
    title: str
    target: str
    target_kind: str
    target_version: str | None
    started_at: str
    duration_s: float
    verdict: Status | None
    reason: str
    seed: int
    spend_usd: float
    harness_version: str
    plan_digest: str
    manifest_digest: str | None
    repeat: str
    instrument: InstrumentHealth | None
    proves: bool
    fails: bool
    overridden: bool = False
    why_not: tuple[str, ...] = ()
    catalogue: bool | None = None
    results: tuple[Judgement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong with what the decision rests on. blocks: while it stands, the release is not ready."""

    text: str
    blocks: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An attestation, waiver or superseded run as the document lists it. holds: whether it had an effect."""

    kind: str
    subject: str
    owner: str
    date: str
    expires: str | None
    text: str
    link: str
    holds: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A row that is not what it was at the last release; None is a row that was or is not asked for."""

    row: str
    title: str
    before: RowStatus | None
    now: RowStatus | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDigest:
    """One thing that the document was made from. kind: `run`, `checklist`, `attestations`, `waivers`, `history`, `previous`."""

    kind: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Previous:
    """The release that this one is compared with."""

    release: str
    decision: Decision
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Is this release ready, by evidence: `readiness.json`.

    reasons: why the decision is what it is, the gravest first. target, target_version: None where the runs disagree.
    changes: against `previous`, where one was given.
    """

    release: str
    decision: Decision
    exit_code: int
    reasons: tuple[str, ...]
    created_at: str
    harness_version: str
    checklist: str
    target: str | None
    target_version: str | None
    rows: tuple[RowResult, ...]
    runs: tuple[ReleaseRun, ...]
    problems: tuple[Problem, ...] = ()
    held: tuple[Held, ...] = ()
    signers: tuple[str, ...] = ()
    previous: Previous | None = None
    changes: tuple[Change, ...] = ()
    inputs: tuple[InputDigest, ...] = ()
    max_age_days: float | None = None
    history_known: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    schema: str = "harness.readiness/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """Who decided, on what. digest: sha256 of the `readiness.json` that was signed; decision: `go` or `no-go`."""

    name: str
    decision: str
    reason: str
    digest: str
    release: str
    evidence_says: Decision
    at: str
    key: str | None = None
    signature: str | None = None
    schema: str = "harness.signoff/1"
