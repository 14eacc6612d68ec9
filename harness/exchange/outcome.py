"""What became of one request, as far as its own bytes and times can tell."""

import msgspec

from harness.model.error_kind import ErrorKind
from harness.model.outcome import Refusal, Result, Source


class Outcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The columns of a sample that come from the exchange itself. Moments are on the clock of whoever fed the bytes.

    A frozen dataclass sets its twenty fields one by one in Python, for each request: a struct does it at once.

    chunks: content chunks of a stream. body_bytes: all that arrived, kept or not. reusable: the connection may carry
    another request. text_digest: of what a good answer said, where that is asked for. body: what was kept of the body, for
    the exchanges of a report; not part of the sample.
    """

    result: Result
    error_kind: ErrorKind | None = None
    source: Source | None = None
    refusal: Refusal | None = None
    status_code: int | None = None
    first_byte_ns: int | None = None
    first_content_ns: int | None = None
    last_content_ns: int | None = None
    ended_ns: int | None = None
    gap_p95_ns: int | None = None
    gap_max_ns: int | None = None
    chunks: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    claimed_cost_usd: float | None = None
    claimed_fallback: bool | None = None
    cache: str | None = None
    text_digest: int | None = None
    body_bytes: int = 0
    body: bytes = b""
    reusable: bool = False
