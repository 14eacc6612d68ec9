"""An answer without measure."""

from harness.model.fault import Parameter
from harness.provider.draft import Draft, Operation
from harness.provider.faults.base import ProviderFault
from harness.provider.generation import words_of


class HugeAnswer(ProviderFault):
    """Generates this many tokens whatever max_tokens says, paced and billed like any others."""

    PARAMETERS = (
        Parameter(name="tokens", type=int, unit="tokens", doc="the answer's length", low=1, high=100_000, default=5_000),
    )

    def edit_draft(self, draft: Draft) -> None:
        """Make it long."""
        if draft.operation is Operation.CHAT:
            draft.words = words_of(b"huge", self.integer("tokens"))
            draft.finish_reason = "stop"
            draft.shown_after.append((1, self))
