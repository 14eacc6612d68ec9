"""Memory of the machine is taken; never so much that less than 256 MiB is left, and let go where others take it."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.resource import HOST, resource

KIND = resource(
    "memory_fill",
    "The machine's memory is taken",
    Parameter(name="megabytes", type=int, doc="how much to take", unit="MiB", low=1, high=65_536, required=True),
    places=(HOST,),
)
