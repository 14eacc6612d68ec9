"""An answer without measure.

Generates this many tokens whatever max_tokens says, paced and billed like any others.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "huge_answer",
    "An answer without measure",
    Parameter(name="tokens", type=int, doc="the answer's length", unit="tokens", low=1, high=100_000, default=5000),
)
