"""JSON that ends too early.

Sends one broken event in a stream that goes on; a whole body loses its last third, with a content length that fits.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "malformed_json",
    "JSON that ends too early",
    Parameter(name="after_chunks", type=int, doc="content chunks before it", unit="chunks", low=0, high=100_000, default=3),
)
