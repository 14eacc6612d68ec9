"""A model that thinks for too long.

Delays the first token: a stream has its headers in time, an answer that is not streamed comes later as a whole.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "slow_first_token",
    "A model that thinks for too long",
    Parameter(name="delay_ms", type=float, doc="added", unit="ms", low=1, high=3_600_000, default=5000),
)
