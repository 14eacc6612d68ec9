"""The other side goes dark: nothing arrives, nothing is refused.

Both directions by default. In one direction only, a dark provider would still be sent every request, or would finish
the streams that it had begun: neither is what an outage looks like.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.toxic import LONGEST_MS, toxic

KIND = toxic(
    "timeout",
    "The other side goes dark",
    Parameter(
        name="timeout",
        type=int,
        doc="a connection is closed after so long without data; 0 is a black hole that never closes",
        unit="ms",
        low=0,
        high=LONGEST_MS,
        default=0,
    ),
    default_stream="both",
)
