"""One row for every intended request: the columns of `samples/`."""

from dataclasses import dataclass

from harness.model.outcome import Refusal, Result, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One intended request, including one that never left the generator.

    Every `*_ns` that names a moment counts nanoseconds from the run's zero (`plan.json`, `clock`); `pool_wait_ns` and
    the gaps are durations. None means "did not happen". `claimed_*` is what the target says, `metered_*` what the
    provider recorded; the generator leaves `exposed_to`, `metered_*` and `call_ids` empty and the close fills them.
    text_digest: of what the answer said (`harness.model.text_digest`), where an objective of the plan is about order.
    """

    seq: int
    user_class: str
    principal: str
    model: str | None
    streamed: bool
    conversation: str | None
    turn: int | None
    phase: str
    exposed_to: tuple[str, ...] = ()
    intended_ns: int
    started_ns: int | None
    pool_wait_ns: int | None
    first_byte_ns: int | None
    first_content_ns: int | None
    last_content_ns: int | None
    ended_ns: int | None
    gap_p95_ns: int | None
    gap_max_ns: int | None
    chunks: int | None
    status_code: int | None
    result: Result
    source: Source | None
    refusal: Refusal | None
    expected: bool | None
    error_kind: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    claimed_cost_usd: float | None
    metered_cost_usd: float | None = None
    claimed_fallback: bool | None
    metered_fallback: bool | None = None
    cache: str | None
    call_ids: tuple[str, ...] = ()
    request_id: str | None
    worker: int
    text_digest: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that the provider really served: the truth that measurements are checked against.

    endpoint: `primary` or `secondary`. Moments count from the run's zero, like a sample's.
    request_id: the caller's `x-request-id` header; tag: the `[hs:SEQ]` tag found in the prompt.
    ended: `completed`, `cut` (by a fault), `client_gone`, `refused` (an error status),
    `capped` (by the harness's own spend cap before a real provider).
    fault: the kind of provider fault that acted on this call.
    text_digest: of what it said, where it said all of it; a provider that is not simulated leaves it empty.
    """

    call_id: str
    endpoint: str
    model: str
    streamed: bool
    request_id: str | None
    tag: str | None
    key_fingerprint: str | None
    received_ns: int
    first_content_ns: int | None
    last_content_ns: int | None
    ended_ns: int | None
    gap_p95_ns: int | None
    gap_max_ns: int | None
    chunks: int
    status_code: int | None
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    ended: str
    fault: str | None
    text_digest: int | None = None
