"""A status line and headers that take their time.

Sends nothing for a while, or (trickle) the head in ten pieces over that while, which defeats read timeouts.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "slow_headers",
    "A status line and headers that take their time",
    Parameter(name="delay_ms", type=float, doc="until the head is out", unit="ms", low=1, high=3_600_000, default=5000),
    Parameter(name="trickle", type=bool, doc="send the head in ten pieces over that time", default=False),
)
