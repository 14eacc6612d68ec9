"""An answer whose connection ends in the middle.

Closes the connection after some content: with FIN, with RST, or with FIN in the middle of a chunk.
An answer that is not streamed is cut in the middle of its body. One with less content than `after_chunks` is not touched.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "cut",
    "An answer whose connection ends in the middle",
    Parameter(name="after_chunks", type=int, doc="content chunks before the cut", unit="chunks", low=0, high=100_000, default=5),
    Parameter(name="how", type=str, doc="how it ends", default="clean", choices=("clean", "rst", "half_chunk")),
)
