"""A bill above the reservation."""

import math

from harness.model.fault import Parameter
from harness.provider.draft import Draft, Operation
from harness.provider.faults.base import ProviderFault


class UsageAbove(ProviderFault):
    """Bills and shows a multiple of max_tokens (of the answer's length where none was given) for a completed answer.

    The content stays as it is. What is billed is what `/meter` and the call's record say.
    """

    PARAMETERS = (
        Parameter(name="factor", type=float, doc="of the completion tokens billed to max_tokens", low=1, high=1_000, default=2),
    )

    def edit_draft(self, draft: Draft) -> None:
        """Raise the bill."""
        reserved = len(draft.words) if draft.max_tokens is None else draft.max_tokens
        billed = math.ceil(self.number("factor") * reserved)
        if draft.operation is Operation.CHAT and billed > len(draft.words):
            draft.billed_completion_tokens = billed
            draft.shown_at_end.append(self)
