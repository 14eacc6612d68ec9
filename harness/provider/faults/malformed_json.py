"""JSON that ends too early."""

from harness.model.fault import Parameter
from harness.provider.draft import Draft
from harness.provider.faults.base import ProviderFault
from harness.provider.script import Mark, Piece, Place, Script

_BROKEN = b'data: {"id":"chatcmpl-0","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"\n\n'


class MalformedJson(ProviderFault):
    """Sends one broken event in a stream that goes on; a whole body loses its last third, with a content length that fits."""

    PARAMETERS = (
        Parameter(name="after_chunks", type=int, unit="chunks", doc="content chunks before it", low=0, high=100_000, default=3),
    )

    def edit_draft(self, draft: Draft) -> None:
        """Break a whole body."""
        if not draft.streamed:
            draft.edit_body = lambda payload: payload[: len(payload) * 2 // 3]
            draft.shown_after.append((1, self))

    def edit_script(self, script: Script) -> None:
        """Put the broken event into a stream."""
        index = script.after_content(self.integer("after_chunks")) if script.streamed else None
        if index is not None:
            script.parts[index:index] = [Piece(place=Place.OTHER, data=script.frame(_BROKEN)), Mark(fault=self)]
