"""The machine's processors are busy with something else. The load generator is short of them too: see the instrument."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.resource import HOST, resource

KIND = resource(
    "cpu_burn",
    "The machine is busy",
    Parameter(name="cores", type=int, doc="how many processors to burn, at most all", low=1, high=256, default=1),
    places=(HOST,),
)
