"""Some bytes arrive changed. Of the embedded proxy only: Toxiproxy has no such toxic."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.toxic import toxic

KIND = toxic(
    "corrupt",
    "Some bytes arrive changed",
    Parameter(name="share", type=float, doc="share of the bytes that are changed", low=0, high=1, default=0.01),
)
