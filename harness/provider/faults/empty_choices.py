"""`choices: []` where content is expected."""

from harness.model.fault import Parameter
from harness.provider.draft import Draft, Operation
from harness.provider.faults.base import ProviderFault


class EmptyChoices(ProviderFault):
    """Sends chunks without a choice: N before the content, or (0) in place of all content. A whole body has none at all."""

    PARAMETERS = (
        Parameter(
            name="chunks",
            type=int,
            unit="chunks",
            doc="empty ones before the content; 0: nothing else",
            low=0,
            high=1_000,
            default=0,
        ),
    )

    def edit_draft(self, draft: Draft) -> None:
        """Empty it."""
        if draft.operation is Operation.CHAT:
            draft.blank_chunks = self.integer("chunks")
            draft.shown_after.append((0 if draft.blank_chunks else 1, self))
