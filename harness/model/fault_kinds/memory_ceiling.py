"""The process can get no more memory than so much above what it has: its next large wish fails."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.resource import resource

KIND = resource(
    "memory_ceiling",
    "A process is short of memory",
    Parameter(name="spare", type=int, doc="how much more it may get", unit="MiB", low=0, high=1_048_576, default=0),
)
