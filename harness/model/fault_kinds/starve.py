"""The process gets only a share of the time, as on a machine that others crowd. Nothing else on the machine is touched."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.resource import resource

KIND = resource(
    "starve",
    "A process is short of CPU",
    Parameter(name="share", type=float, doc="the share of the time in which it may run", low=0.01, high=0.95, default=0.2),
    Parameter(name="period", type=int, doc="how often it is stopped and let go", unit="ms", low=20, high=2000, default=100),
)
