"""The link carries no more than so many kilobytes a second."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.toxic import toxic

KIND = toxic(
    "bandwidth",
    "The link is narrow",
    Parameter(
        name="rate",
        type=int,
        doc="kilobytes (1000 bytes) a second; 0 stalls",
        unit="KB/s",
        low=0,
        high=10_000_000,
        required=True,
    ),
)
