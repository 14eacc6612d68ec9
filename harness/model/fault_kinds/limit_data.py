"""A connection ends after so many bytes."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.toxic import toxic

KIND = toxic(
    "limit_data",
    "Connections end after so many bytes",
    Parameter(
        name="bytes",
        type=int,
        doc="this many pass, then the connection ends; 0 ends it at the first data",
        unit="bytes",
        low=0,
        high=1 << 53,
        required=True,
    ),
)
