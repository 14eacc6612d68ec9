"""Every chunk is delivered late."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.toxic import LONGEST_MS, toxic

KIND = toxic(
    "latency",
    "Every chunk is delivered late",
    Parameter(name="latency", type=int, doc="delay from a chunk's arrival", unit="ms", low=0, high=LONGEST_MS, required=True),
    Parameter(
        name="jitter", type=int, doc="the delay varies by up to this, uniformly", unit="ms", low=0, high=LONGEST_MS, default=0
    ),
)
