"""A model that will not answer.

Refuses with status 200: in words, in the `refusal` field, or cut by the provider's own content filter.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "refuse_content",
    "A model that will not answer",
    Parameter(name="how", type=str, doc="in what shape", default="text", choices=("text", "refusal_field", "content_filter")),
)
