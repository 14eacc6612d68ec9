"""The process is told to end (SIGTERM) and started again when the fault clears."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.process import process

WITHIN_MS = Parameter(
    name="within",
    type=int,
    doc="how long it may take to end; longer and the fault could not be applied",
    unit="ms",
    low=1,
    high=60_000,
    default=10_000,
)

KIND = process("terminate", "A process is told to end", WITHIN_MS)
