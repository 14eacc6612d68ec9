"""The disk below the database is slow: every transaction that wrote something waits for its flush. Reads are as fast as ever."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.dependency import DATABASE, dependency

KIND = dependency(
    "slow_disk",
    "The disk is slow",
    Parameter(name="flush", type=int, doc="how much longer each flush takes", unit="ms", low=5, high=100, default=50),
    places=(DATABASE,),
)
