"""A file system is full. Only one that was made for it: a mount of its own, small, with `.harness-may-fill` at its root."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.resource import resource

KIND = resource(
    "disk_full",
    "A disk is full",
    Parameter(name="leave", type=int, doc="how much stays free", unit="MiB", low=0, high=4096, default=0),
    places=("disks.*",),
)
