"""A scenario as it is written: strict, unknown keys forbidden. `harness list schemas` prints it as JSON Schema."""

import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from harness.model.fault import Scalar
from harness.model.objective import Severity
from harness.model.outcome import Refusal
from harness.model.plan import ArrivalProcess, PhaseKind, Protocol
from harness.model.units import parse_duration_ns, parse_rate_rps, parse_share_ratio

Duration = Annotated[int, BeforeValidator(parse_duration_ns)]
"""Nanoseconds, written `30s`."""
Rate = Annotated[float, BeforeValidator(parse_rate_rps)]
"""Requests per second, written `20/s`."""
Share = Annotated[float, BeforeValidator(parse_share_ratio)]
"""A ratio in 0..1, written `5%`."""


def parse_day(value: object) -> str:
    """Return a day as `2026-12-31`; YAML reads one without quotes as a date. Raises ValueError."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    try:
        return datetime.date.fromisoformat(value if isinstance(value, str) else "").isoformat()
    except ValueError:
        raise ValueError(f"{value!r} is not a day; write it as 2026-12-31") from None


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
"""Lower-case letters, digits and hyphens."""


class Strict(BaseModel):
    """What every part of a scenario has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class ArrivalsDocument(Strict):
    """`{process: poisson, rate: 20/s}`; which process takes which keys stands in `harness.scenario.arrivals`.

    A step goes from `rate` to `to` in `steps`; a spike is at `to` for `peak` from `at` on; a sine swings around `rate`
    up to `to` each `period`; replay takes a `trace` and a `speed`; closed takes `users` and `think`.
    """

    process: ArrivalProcess
    rate: Rate | None = None
    to: Rate | None = None
    steps: Annotated[int, Field(ge=1, le=1000, strict=True)] | None = None
    at: Duration | None = None
    peak: Annotated[Duration, Field(gt=0)] | None = None
    period: Annotated[Duration, Field(gt=0)] | None = None
    trace: str | None = None
    speed: Annotated[float, Field(gt=0, le=1000)] = 1.0
    users: Annotated[int, Field(ge=1, le=4000, strict=True)] | None = None
    think: Duration | None = None


Tokens = Annotated[int, Field(ge=1, le=100_000, strict=True)]


class TokenLengthsDocument(Strict):
    """`{median: 200, p95: 1500, most: 8000}`: lognormal; p95 alone is the median where all are of one length."""

    median: Tokens
    p95: Tokens | None = None
    least: Tokens = 1
    most: Tokens = 100_000


class PlainRequestDocument(Strict):
    """`{method: GET, path: /health}`: what a class of protocol `http` or `message` sends."""

    method: Literal["GET", "POST", "PUT", "DELETE", "PATCH"] = "POST"
    path: Annotated[str, Field(pattern=r"^/[\x21-\x7e]*$")] = "/"
    body: str | None = None
    content_type: str = "application/json"


class ClassDocument(Strict):
    """A user class of one's own in the mix: `{share: 50%, prompts: ["..."]}`.

    prompts, prompts_file, conversations: one of the three. prompt_tokens makes prompts that long with filler text.
    """

    share: Share
    prompts: Annotated[list[str], Field(min_length=1)] | None = None
    prompts_file: str | None = None
    conversations: Annotated[list[list[str]], Field(min_length=1)] | None = None
    think: Duration = 0
    prompt_tokens: TokenLengthsDocument | None = None
    model: str | None = None
    max_tokens: Tokens | None = None
    timeout: Annotated[Duration, Field(gt=0)] | None = None
    protocol: Protocol | None = None
    request: PlainRequestDocument | None = None


class FindLimitDocument(Strict):
    """`{from: 10/s, to: 200/s, within: 10%}`: run again at other rates until the highest that passes is known so well."""

    from_: Annotated[Rate, Field(alias="from")]
    to: Rate
    within: Share = 0.1


class LoadDocument(Strict):
    """What is sent, over all phases that do not say otherwise."""

    arrivals: ArrivalsDocument
    mix: Annotated[dict[Name, Share | ClassDocument], Field(min_length=1)]
    stream: Share = 0.0


class FlapDocument(Strict):
    """`{broken: 2s, whole: 3s}`: in force for so long, then away for so long, over and over."""

    broken: Annotated[Duration, Field(gt=0)]
    whole: Annotated[Duration, Field(gt=0)]


class RampDocument(Strict):
    """`{to: {latency: 800}, steps: 5}`: from the fault's own values to these, in steps of the same length."""

    to: Annotated[dict[str, int | float], Field(min_length=1)]
    steps: Annotated[int, Field(ge=2, le=100, strict=True)] = 5


class FaultDocument(Strict):
    """`{at: provider.primary, kind: timeout, parameters...}`; its own keys are checked against the kind's parameters.

    from, for: offset from the phase's start and length; by default the whole phase. flap, ramp: how it comes and goes.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    at: str
    kind: str
    id: Name | None = None
    from_: Annotated[Duration | None, Field(alias="from")] = None
    for_: Annotated[Duration | None, Field(alias="for")] = None
    flap: FlapDocument | None = None
    ramp: RampDocument | None = None
    expects_action: bool = True

    def parameters(self) -> dict[str, Scalar]:
        """Return the fault's own keys."""
        return dict(self.model_extra or {})


class NemesisDocument(Strict):
    """`{draw: [faults...], every: 5s, hold: 3s, at_most: 1}`: draws one from the list every so often, by the seed.

    hold: how long each stays. at_most: the blast radius, how many at once.
    """

    draw: Annotated[list[FaultDocument], Field(min_length=1)]
    every: Annotated[Duration, Field(ge=100_000_000)]
    hold: Annotated[Duration, Field(ge=100_000_000)]
    at_most: Annotated[int, Field(ge=1, le=20, strict=True)] = 1


class PhaseDocument(Strict):
    """`{name: outage, kind: fault, for: 30s, faults: [...]}`.

    stagger: each fault that says no `from` of its own begins so long after the one before it.
    """

    name: Name
    kind: PhaseKind
    for_: Annotated[Duration, Field(alias="for", gt=0)]
    arrivals: ArrivalsDocument | None = None
    faults: list[FaultDocument] = []
    stagger: Duration = 0
    nemesis: NemesisDocument | None = None


class WaiverDocument(Strict):
    """`{owner: ops, reason: "the second model is not bought yet", expires: "2026-12-31"}`."""

    owner: Annotated[str, Field(min_length=1)]
    reason: Annotated[str, Field(min_length=1)]
    expires: Annotated[str, BeforeValidator(parse_day)]


class ObjectiveDocument(Strict):
    """One objective, in its short form or its explicit one; then which requests, who answers for it and how grave it is.

    Short: `{latency: "p95 < 5s"}`. Explicit: `{measure: latency, threshold: 5s, at_most: 5%}`.
    Both grammars stand in `harness.scenario.objectives`.
    """

    latency: str | None = None
    time_to_first_token: Annotated[str | None, Field(alias="time to first token")] = None
    inter_token_latency: Annotated[str | None, Field(alias="inter-token latency")] = None
    time_per_output_token: Annotated[str | None, Field(alias="time per output token")] = None
    refusal_latency: Annotated[str | None, Field(alias="refusal latency")] = None
    error_rate: Annotated[str | None, Field(alias="error rate")] = None
    breakage: str | None = None
    availability: str | None = None
    goodput: str | None = None
    answered_share: Annotated[str | None, Field(alias="answered share")] = None
    fallback_share: Annotated[str | None, Field(alias="fallback share")] = None
    degraded_share: Annotated[str | None, Field(alias="degraded share")] = None
    refusal_share: Annotated[str | None, Field(alias="refusal share")] = None
    cache_hit_rate: Annotated[str | None, Field(alias="cache hit rate")] = None
    stream_integrity: Annotated[str | None, Field(alias="stream integrity")] = None
    order: str | None = None
    longest_wait: Annotated[str | None, Field(alias="longest wait")] = None
    recovered_within: Annotated[str | None, Field(alias="recovered within")] = None
    detected_within: Annotated[str | None, Field(alias="detected within")] = None
    fallback_within: Annotated[str | None, Field(alias="fallback within")] = None
    primary_again_within: Annotated[str | None, Field(alias="primary again within")] = None
    spend: str | None = None
    cost_per_query: Annotated[str | None, Field(alias="cost per query")] = None
    tokens: str | None = None
    error_budget_burn: Annotated[str | None, Field(alias="error budget burn")] = None
    silent_breakage: Annotated[str | None, Field(alias="silent breakage")] = None
    false_claims: Annotated[str | None, Field(alias="false claims")] = None
    joined_share: Annotated[str | None, Field(alias="joined share")] = None
    logged_share: Annotated[str | None, Field(alias="logged share")] = None
    paid_twice: Annotated[str | None, Field(alias="paid twice")] = None
    server_metric: Annotated[str | None, Field(alias="server metric")] = None
    log_rule: Annotated[str | None, Field(alias="log rule")] = None
    answer_rule: Annotated[str | None, Field(alias="answer rule")] = None

    measure: str | None = None
    threshold: Annotated[Duration | None, Field(gt=0)] = None
    at_most: str | int | float | None = None
    at_least: str | int | float | None = None

    id: Name | None = None
    during: str | list[str] | None = None
    after: str | None = None
    classes: list[str] = []
    principals: list[str] = []
    models: list[str] = []
    streamed: Annotated[bool | None, Field(strict=True)] = None
    refusals: list[Refusal] = []
    logs: list[str] = []
    covers: list[str] = []
    severity: Severity = Severity.GATE
    owner: str | None = None
    waiver: WaiverDocument | None = None


class CheckDocument(Strict):
    """`{check: budget cap, during: steady, burst: 40}`; its own keys are checked against the check's settings."""

    model_config = ConfigDict(extra="allow", frozen=True)

    check: str
    during: str
    id: Name | None = None
    covers: list[str] = []

    def settings(self) -> dict[str, Scalar]:
        """Return the check's own keys."""
        return dict(self.model_extra or {})


class AbortDocument(Strict):
    """`{error rate: "> 50%", for: 10s}`: ends the run when it holds that long."""

    error_rate: Annotated[str, Field(alias="error rate")]
    for_: Annotated[Duration, Field(alias="for", gt=0)]


class ScenarioDocument(Strict):
    """A scenario file. plugins: files beside it, `./ours.py`, with faults, checks and objectives of one's own."""

    name: Name
    title: str
    hypothesis: str | None = None
    blast_radius: str | None = None
    roll_back: str | None = None
    plugins: list[str] = []
    request_timeout: Duration = 10_000_000_000
    drain: Duration = 6_000_000_000
    load: LoadDocument
    find_limit: FindLimitDocument | None = None
    phases: Annotated[list[PhaseDocument], Field(min_length=1)]
    objectives: Annotated[list[ObjectiveDocument], Field(min_length=1)]
    checks: list[CheckDocument] = []
    abort_when: list[AbortDocument] = []
