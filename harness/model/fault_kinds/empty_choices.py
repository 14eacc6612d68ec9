"""`choices: []` where content is expected.

Sends chunks without a choice: N before the content, or (0) in place of all content. A whole body has none at all.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "empty_choices",
    "`choices: []` where content is expected",
    Parameter(
        name="chunks", type=int, doc="empty ones before the content; 0: nothing else", unit="chunks", low=0, high=1_000, default=0
    ),
)
