"""An answer that stops in the middle and leaves the connection open.

Holds an answer after some content; it goes on when the fault is removed, or after `for_ms`.
An answer that is not streamed stalls in the middle of its body. One with less content than `after_chunks` is not touched.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "stall",
    "An answer that stops in the middle and leaves the connection open",
    Parameter(
        name="after_chunks", type=int, doc="content chunks before the stall", unit="chunks", low=0, high=100_000, default=0
    ),
    Parameter(name="for_ms", type=float, doc="how long; left out, until the fault is removed", unit="ms", low=1, high=3_600_000),
)
