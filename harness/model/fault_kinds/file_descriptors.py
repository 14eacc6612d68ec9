"""The process can open nothing more: no connection is accepted or made, no file opened. What is open stays open.

A call that waits for a connection already has its descriptor: it gets one more.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.resource import resource

KIND = resource(
    "file_descriptors",
    "A process has no file descriptor left",
    Parameter(name="spare", type=int, doc="how many more it may open", low=0, high=100_000, default=0),
)
