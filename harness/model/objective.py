"""An objective: what must hold, over which requests, and what the answer is worth."""

import enum
from dataclasses import dataclass


class Kind(enum.StrEnum):
    """How an objective is decided. Source: `docs/explanation/verdicts.md`."""

    RATIO = "ratio"  # a share of bad (or good) events, by Clopper-Pearson bounds
    INVARIANT = "invariant"  # never
    DURATION = "duration"  # a time, of one drill
    BUDGET = "budget"  # a meter's figure against a cap
    REGRESSION = "regression"
    CHECK = "check"  # by its own evidence
    INFO = "info"


class Severity(enum.StrEnum):
    """What a failed objective does to the run."""

    GATE = "gate"
    WARN = "warn"


class Quantity(enum.StrEnum):
    """What an objective measures."""

    LATENCY = "latency"  # intended start to the end of the answer
    TTFT = "time to first token"
    ERROR_SHARE = "error rate"
    FALLBACK_SHARE = "fallback share"
    RECOVERY = "recovered within"
    SPEND = "spend"
    CHECK = "check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One objective of a plan, in its explicit form.

    id: unique in the scenario, e.g. `latency-p95`, `fallback-share-outage`; results keep it for every phase.
    op, limit: `<=` or `>=` and its limit. RATIO: a ratio of events (`bad share <= 0.05`, `fallback share >= 0.95`);
        DURATION: nanoseconds; BUDGET: dollars.
    threshold_ns, permille: of a latency objective: an eligible request is bad when slower than `threshold_ns` or not
        answered; `permille` is the percentile that was asked for (950), and limit is 1 - permille/1000.
    during: names of the phases judged, one result each. after: the fault phase that a recovery is measured from.
    covers: checklist rows. written: the short form as the user wrote it.
    """

    id: str
    kind: Kind
    quantity: Quantity
    op: str
    limit: float
    written: str
    threshold_ns: int | None = None
    permille: int | None = None
    during: tuple[str, ...] = ()
    after: str | None = None
    covers: tuple[str, ...] = ()
    severity: Severity = Severity.GATE
    confidence: float = 0.95
    classes: tuple[str, ...] = ()
    line: int | None = None
