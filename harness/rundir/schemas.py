"""The columns of `samples/` and `truth/calls`, as Arrow schemas that carry their own version.

Their meaning stands at `harness.model.sample.Sample` and `Call`; a test holds names and order together.
"""

import pyarrow as pa

_TEXT = pa.dictionary(pa.int32(), pa.string())

SAMPLES_SCHEMA = pa.schema(
    [
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("user_class", _TEXT, nullable=False),
        pa.field("principal", _TEXT, nullable=False),
        pa.field("model", _TEXT),
        pa.field("streamed", pa.bool_(), nullable=False),
        pa.field("conversation", pa.string()),
        pa.field("turn", pa.int32()),
        pa.field("phase", _TEXT, nullable=False),
        pa.field("exposed_to", pa.list_(pa.string())),
        pa.field("intended_ns", pa.int64(), nullable=False),
        pa.field("started_ns", pa.int64()),
        pa.field("pool_wait_ns", pa.int64()),
        pa.field("first_byte_ns", pa.int64()),
        pa.field("first_content_ns", pa.int64()),
        pa.field("last_content_ns", pa.int64()),
        pa.field("ended_ns", pa.int64()),
        pa.field("gap_p95_ns", pa.int64()),
        pa.field("gap_max_ns", pa.int64()),
        pa.field("chunks", pa.int32()),
        pa.field("status_code", pa.int16()),
        pa.field("result", _TEXT, nullable=False),
        pa.field("source", _TEXT),
        pa.field("refusal", _TEXT),
        pa.field("expected", pa.bool_()),
        pa.field("error_kind", _TEXT),
        pa.field("prompt_tokens", pa.int32()),
        pa.field("completion_tokens", pa.int32()),
        pa.field("claimed_cost_usd", pa.float64()),
        pa.field("metered_cost_usd", pa.float64()),
        pa.field("claimed_fallback", pa.bool_()),
        pa.field("metered_fallback", pa.bool_()),
        pa.field("cache", _TEXT),
        pa.field("call_ids", pa.list_(pa.string())),
        pa.field("request_id", pa.string()),
        pa.field("worker", pa.int16(), nullable=False),
        pa.field("text_digest", pa.int64()),
    ],
    metadata={"schema": "harness.samples/1"},
)

CALLS_SCHEMA = pa.schema(
    [
        pa.field("call_id", pa.string(), nullable=False),
        pa.field("endpoint", _TEXT, nullable=False),
        pa.field("model", _TEXT, nullable=False),
        pa.field("streamed", pa.bool_(), nullable=False),
        pa.field("request_id", pa.string()),
        pa.field("tag", pa.string()),
        pa.field("key_fingerprint", _TEXT),
        pa.field("received_ns", pa.int64(), nullable=False),
        pa.field("first_content_ns", pa.int64()),
        pa.field("last_content_ns", pa.int64()),
        pa.field("ended_ns", pa.int64()),
        pa.field("gap_p95_ns", pa.int64()),
        pa.field("gap_max_ns", pa.int64()),
        pa.field("chunks", pa.int32(), nullable=False),
        pa.field("status_code", pa.int16()),
        pa.field("prompt_tokens", pa.int32(), nullable=False),
        pa.field("completion_tokens", pa.int32(), nullable=False),
        pa.field("cost_usd", pa.float64(), nullable=False),
        pa.field("ended", _TEXT, nullable=False),
        pa.field("fault", _TEXT),
        pa.field("text_digest", pa.int64()),
    ],
    metadata={"schema": "harness.calls/1"},
)

ADDED_LATER = frozenset({"text_digest"})
"""Columns that runs of the same version may lack: they were written before there was one, and read as null."""


def version_of(schema: pa.Schema) -> str:
    """Return the name and version that a schema carries; `?` where it carries none."""
    return str((schema.metadata or {}).get(b"schema", b"?").decode())
