"""A usage block that is not what is billed.

Shows usage times a factor, rounded; the meter bills the truth. Not touched where nothing is shown or changed by it.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "wrong_usage",
    "A usage block that is not what is billed",
    Parameter(name="factor", type=float, doc="of what is shown to what is billed", low=0, high=1_000, default=0.5),
)
