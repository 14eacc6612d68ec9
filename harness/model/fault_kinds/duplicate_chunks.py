"""Chunks that come more than once.

Sends every content chunk of a stream several times; it is billed once. Answers that are not streamed are not touched.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "duplicate_chunks",
    "Chunks that come more than once",
    Parameter(name="copies", type=int, doc="how often each chunk is sent", low=2, high=100, default=2),
)
