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
    ITL = "inter-token latency"  # of one answer: the p95 of the gaps between its content chunks
    TPOT = "time per output token"  # last content less first content, over the output tokens but one
    REFUSAL_LATENCY = "refusal latency"  # intended start to the end of a refusal
    ERROR_SHARE = "error rate"
    BREAKAGE = "breakage"  # errors without a typed refusal: what a user cannot make sense of
    AVAILABILITY = "availability"
    GOODPUT = "goodput"
    ANSWERED_SHARE = "answered share"  # for what must not be answered: attacks, leaks
    FALLBACK_SHARE = "fallback share"
    DEGRADED_SHARE = "degraded share"
    REFUSAL_SHARE = "refusal share"
    CACHE_HIT_RATE = "cache hit rate"
    LONGEST_WAIT = "longest wait"  # intended start to whatever end: nobody is held longer
    STREAM_INTEGRITY = "stream integrity"
    ORDER = "order"  # of what an answer says, and of the turns of a conversation: as sent
    RECOVERY = "recovered within"
    DETECTION = "detected within"
    TO_FALLBACK = "fallback within"
    TO_PRIMARY = "primary again within"
    SPEND = "spend"
    COST_PER_QUERY = "cost per query"
    TOKENS = "tokens"
    BURN_RATE = "error budget burn"
    SILENT_BREAKAGE = "silent breakage"  # streams that just stop: no terminator, and no event that says why
    FALSE_CLAIMS = "false claims"  # answers of whose cost, fallback or cache the target says what the provider's records deny
    JOINED_SHARE = "joined share"  # answers of a model whose call stands in the provider's records under the request's id
    LOGGED_SHARE = "logged share"  # answered or refused requests whose id stands in a line of the target's logs
    PAID_TWICE = "paid twice"  # requests for which a provider said more than one whole answer: each should be asked for once
    SERVER_METRIC = "server metric"
    LOG_RULE = "log rule"
    ANSWER_RULE = "answer rule"
    EXTENSION = "extension"  # what a plug-in measures; `Objective.expression` says which
    REGRESSION = "regression"
    CHECK = "check"


TIMES = frozenset({Quantity.LATENCY, Quantity.TTFT, Quantity.ITL, Quantity.TPOT, Quantity.REFUSAL_LATENCY})
"""Quantities that are stated as a percentile and judged as the share of requests beyond its threshold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """Sets a failed objective aside: who answers for it, why, and until when (UTC, `2026-12-31`, that day included)."""

    owner: str
    reason: str
    expires: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One objective of a plan, in its explicit form.

    id: unique in the scenario, e.g. `latency-p95`, `fallback-share-outage`; results keep it for every phase.
    op, limit: `<=` or `>=` and its limit. RATIO: a ratio of events (`bad share <= 0.05`, `fallback share >= 0.95`);
        DURATION: nanoseconds; BUDGET: dollars.
    threshold_ns, permille: of a percentile: an eligible request is bad when slower than `threshold_ns` or not
        answered; `permille` is the percentile that was asked for (950), and limit is 1 - permille/1000.
    during: names of the phases judged, one result each. after: the fault phase that a recovery is measured from.
    classes, principals, models, streamed, refusals: only requests of these; empty (or None) is all of them.
    expression: of a server metric, its query; of a rule, the pattern that must not be found; of a plug-in's, its name.
    sources: names of logs, globs.
    slo: of an error-budget burn, the share of good requests that is promised; windows_ns: its long and short window.
    covers: checklist rows. written: the short form as the user wrote it. owner: who answers for it.
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
    principals: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    streamed: bool | None = None
    refusals: tuple[str, ...] = ()
    expression: str | None = None
    sources: tuple[str, ...] = ()
    slo: float | None = None
    windows_ns: tuple[int, int] | None = None
    owner: str | None = None
    waiver: Waiver | None = None
    line: int | None = None

    @property
    def bad_limit(self) -> float:
        """Of a RATIO, the most that the share of bad events may be: the limit itself, or what a limit from below leaves."""
        return self.limit if self.op == "<=" else round(1.0 - self.limit, 12)
