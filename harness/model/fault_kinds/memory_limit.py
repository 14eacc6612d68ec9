"""The container may use no more than so much memory; where it uses more already, the kernel ends a process of it."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.container import container

KIND = container(
    "memory_limit",
    "A container is short of memory",
    Parameter(name="megabytes", type=int, doc="what it may use", unit="MiB", low=8, high=1_048_576, required=True),
)
