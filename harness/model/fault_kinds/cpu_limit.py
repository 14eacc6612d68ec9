"""The container may use no more than so much of a processor, as if others crowded it out."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.container import container

KIND = container(
    "cpu_limit",
    "A container is short of CPU",
    Parameter(name="cores", type=float, doc="what it may use, of one core", unit="cores", low=0.01, high=64, required=True),
)
