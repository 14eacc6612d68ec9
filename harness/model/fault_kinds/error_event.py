"""An error inside an answer that began with 200.

Sends an error in the stream in place of the rest; an answer that is not streamed is an error with status 200.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "error_event",
    "An error inside an answer that began with 200",
    Parameter(name="after_chunks", type=int, doc="content chunks before it", unit="chunks", low=0, high=100_000, default=3),
    Parameter(name="done", type=bool, doc="send [DONE] behind it all the same", default=False),
)
