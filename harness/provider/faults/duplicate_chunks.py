"""Chunks that come more than once."""

from harness.model.fault import Parameter
from harness.provider.draft import Draft
from harness.provider.faults.base import ProviderFault


class DuplicateChunks(ProviderFault):
    """Sends every content chunk of a stream several times; it is billed once. Answers that are not streamed are not touched."""

    PARAMETERS = (Parameter(name="copies", type=int, doc="how often each chunk is sent", low=2, high=100, default=2),)

    def edit_draft(self, draft: Draft) -> None:
        """Repeat."""
        if draft.streamed:
            draft.copies = self.integer("copies")
            draft.shown_after.append((1, self))
