"""An error status in place of an answer.

Answers with an error status, with or without Retry-After; nothing is generated or billed.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "status",
    "An error status in place of an answer",
    Parameter(name="code", type=int, doc="the status", low=400, high=599, default=503),
    Parameter(
        name="retry_after",
        type=str,
        doc="the Retry-After header, word for word: `2`, `soon`, `-1`, `99999999999`; `date+N` is the date N seconds ahead",
    ),
)
