"""Each instance is told to end (SIGTERM), and started again, one after the other, as a rolling deploy does.

The next one ends only when the balancer sends requests to the one before.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.deploy import deploy
from harness.model.fault_kinds.terminate import WITHIN_MS

KIND = deploy(
    "rolling_restart",
    "Every instance is replaced, one after the other",
    Parameter(
        name="pause", type=int, doc="from one that is ready to the end of the next", unit="ms", low=0, high=600_000, default=500
    ),
    WITHIN_MS,
)
