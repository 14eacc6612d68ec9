"""The process is killed, started, and killed again as soon as it is up, over and over, until the fault clears."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.process import TREE, process

KIND = process(
    "crash_loop",
    "A process dies again and again",
    Parameter(name="down", type=int, doc="how long it stays away each time", unit="ms", low=0, high=60_000, default=500),
    Parameter(name="up", type=int, doc="how long it may run each time", unit="ms", low=0, high=600_000, default=1000),
    TREE,
)
