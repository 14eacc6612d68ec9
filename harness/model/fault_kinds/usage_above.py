"""A bill above the reservation.

Bills and shows a multiple of max_tokens (of the answer's length where none was given) for a completed answer.
The content stays as it is. What is billed is what `/meter` and the call's record say.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "usage_above",
    "A bill above the reservation",
    Parameter(name="factor", type=float, doc="of the completion tokens billed to max_tokens", low=1, high=1_000, default=2),
)
