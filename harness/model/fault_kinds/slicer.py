"""Data arrives in small pieces."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.toxic import LONGEST_MS, toxic

KIND = toxic(
    "slicer",
    "Data arrives in small pieces",
    Parameter(name="average_size", type=int, doc="size of a piece", unit="bytes", low=1, high=1_000_000_000, required=True),
    Parameter(
        name="size_variation",
        type=int,
        doc="pieces vary by up to this; below average_size",
        unit="bytes",
        low=0,
        high=1_000_000_000,
        default=0,
    ),
    Parameter(name="delay", type=int, doc="pause after a piece", unit="us", low=0, high=LONGEST_MS * 1000, default=0),
)
