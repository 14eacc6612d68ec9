"""Judgements and the verdict that they make. Source: `docs/explanation/verdicts.md`."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from harness.errors import ExitCode
from harness.model.fault import FaultRecord
from harness.model.objective import Kind, Severity, Waiver


class Status(enum.StrEnum):
    """What became of one objective, phase by phase."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    WARN = "warn"
    INCONCLUSIVE = "inconclusive"
    INVALID = "invalid"
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"
    WAIVED = "waived"


_GRAVITY = (Status.PASS, Status.WARN, Status.INCONCLUSIVE, Status.INVALID, Status.FAIL)

EXIT_CODES: Mapping[Status, ExitCode] = {
    Status.PASS: ExitCode.PASS,
    Status.WARN: ExitCode.PASS,
    Status.FAIL: ExitCode.FAIL,
    Status.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
    Status.INVALID: ExitCode.INVALID,
}


def gravest(statuses: Iterable[Status]) -> Status:
    """Return the gravest of pass < warn < inconclusive < invalid < fail; nothing judged is INCONCLUSIVE.

    `not_applicable` and `waived` carry no weight.
    """
    judged = [status for status in statuses if status in _GRAVITY]
    return max(judged, key=_GRAVITY.index, default=Status.INCONCLUSIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """The decision in numbers. For a ratio: `bad` of `n` events, and its one-sided bounds at `confidence`.

    n_effective: what they are worth after autocorrelation, cautiously where they could pass. needed: how many more requests
    would decide (0: decided).
    """

    __test__ = False  # not a test case, whatever pytest thinks of the name

    quantity: str
    op: str
    limit: float
    value: float | None
    lower: float | None = None
    upper: float | None = None
    confidence: float | None = None
    n: int | None = None
    n_effective: float | None = None
    bad: int | None = None
    needed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The figure that people look for, with its interval; never what is judged."""

    quantity: str
    unit: str
    value: float | None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where to look. kind: `request` (ref is a seq), `log`, `plot` or `call`."""

    kind: str
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One row of the verdict: an objective or check, in one phase.

    reason: one sentence that a person can act on. waived_status: of a waived result, what it would have been.
    """

    id: str
    kind: Kind
    severity: Severity
    status: Status
    reason: str
    covers: tuple[str, ...] = ()
    phase: str | None = None
    written: str = ""
    test: Test | None = None
    shown: Shown | None = None
    evidence: tuple[Evidence, ...] = ()
    owner: str | None = None
    waiver: Waiver | None = None
    waived_status: Status | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What plug-ins judged in a run: `extensions.json`. plugins: each by its path, with the sha256 of the file that judged."""

    judgements: tuple[Judgement, ...]
    plugins: Mapping[str, str | None]
    schema: str = "harness.extensions/1"

    def of(self, name: str) -> list[Judgement]:
        """Return the judgements of one objective or check, by its id."""
        return [judgement for judgement in self.judgements if judgement.id == name]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentHealth:
    """Was the instrument at fault? problems: one sentence for each bound that was broken; empty when valid.

    achieved_ratio: the share of arrivals that left on time, in the worst five seconds. canary_p95_ms: what a probe took
    that is answered at once. gc_ratio: time in the garbage collector; files_ratio: descriptors in use; of the worst worker.
    """

    intended: int
    sent: int
    lag_p99_ms: float | None
    loop_lag_p99_ms: float | None
    cpu_ratio: float | None
    achieved_ratio: float | None = None
    canary_p95_ms: float | None = None
    gc_ratio: float | None = None
    files_ratio: float | None = None
    valid: bool
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictScenario:
    """The scenario that was judged."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictTarget:
    """The target that was judged."""

    kind: str
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a run is worth: `verdict.json`."""

    run_id: str
    verdict: Status
    exit_code: int
    reason: str
    started_at: str
    duration_s: float
    harness_version: str
    seed: int
    plan_digest: str
    scenario: VerdictScenario
    target: VerdictTarget
    spend_usd: float
    results: tuple[Judgement, ...]
    faults: tuple[FaultRecord, ...]
    instrument: InstrumentHealth
    labels: Mapping[str, str] = field(default_factory=dict)
    schema: str = "harness.verdict/1"
