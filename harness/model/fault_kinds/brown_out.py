"""A provider that is slower the more it has to do.

Stretches first token and pace of a call by 1 + slope x (calls under way above the knee), at its arrival.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "brown_out",
    "A provider that is slower the more it has to do",
    Parameter(name="knee", type=int, doc="under way before it slows", unit="calls", low=0, high=100_000, default=10),
    Parameter(name="slope", type=float, doc="added to the factor by each call above", low=0.001, high=1_000, default=0.1),
    Parameter(name="ceiling", type=float, doc="the largest factor", low=1, high=10_000, default=20),
)
