"""Connections are reset (RST) rather than closed."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.toxic import LONGEST_MS, toxic

KIND = toxic(
    "reset_peer",
    "Connections are reset",
    Parameter(
        name="timeout", type=int, doc="from the first data or end to the reset", unit="ms", low=0, high=LONGEST_MS, default=0
    ),
)
