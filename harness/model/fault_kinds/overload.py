"""A provider with so many places and a queue before them.

Serves `concurrency` calls at a time, keeps `queue` waiting in their order, refuses the rest. Acted: waited or refused.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "overload",
    "A provider with so many places and a queue before them",
    Parameter(name="concurrency", type=int, doc="served at a time", unit="calls", low=1, high=100_000, default=10),
    Parameter(name="queue", type=int, doc="that may wait", unit="calls", low=0, high=100_000, default=0),
    Parameter(name="code", type=int, doc="the status beyond: 429, 503 or 529 in practice", low=400, high=599, default=503),
    Parameter(name="retry_after_s", type=int, doc="the Retry-After beyond", unit="s", low=0, high=86_400, default=1),
)
