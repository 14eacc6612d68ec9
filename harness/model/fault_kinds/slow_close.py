"""The end of a connection is delivered late."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.toxic import LONGEST_MS, toxic

KIND = toxic(
    "slow_close",
    "Connections close late",
    Parameter(name="delay", type=int, doc="from the end to its delivery", unit="ms", low=0, high=LONGEST_MS, required=True),
)
