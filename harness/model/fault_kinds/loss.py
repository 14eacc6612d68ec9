"""Some chunks never arrive: a hole in the stream. Of the embedded proxy only: Toxiproxy has no such toxic."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.toxic import toxic

KIND = toxic(
    "loss",
    "Some chunks never arrive",
    Parameter(name="share", type=float, doc="share of the chunks that are dropped", low=0, high=1, default=0.1),
)
