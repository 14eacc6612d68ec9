"""An error inside an answer that began with 200."""

from harness.model.fault import Parameter
from harness.provider.draft import Draft
from harness.provider.faults.base import ProviderFault
from harness.provider.openai import error_body
from harness.provider.script import Mark, Piece, Place, Script

_ERROR = error_body("The server had an error while processing your request", "server_error", "server_error")


class ErrorEvent(ProviderFault):
    """Sends an error in the stream in place of the rest; an answer that is not streamed is an error with status 200."""

    PARAMETERS = (
        Parameter(name="after_chunks", type=int, unit="chunks", doc="content chunks before it", low=0, high=100_000, default=3),
        Parameter(name="done", type=bool, doc="send [DONE] behind it all the same", default=False),
    )

    def edit_draft(self, draft: Draft) -> None:
        """Change a whole body."""
        if not draft.streamed:
            draft.edit_body = lambda _: _ERROR
            draft.shown_after.append((1, self))

    def edit_script(self, script: Script) -> None:
        """Change a stream."""
        index = script.after_content(self.integer("after_chunks")) if script.streamed else None
        if index is None:
            return
        done = b"data: [DONE]\n\n" if self.flag("done") else b""
        event = Piece(place=Place.OTHER, data=script.frame(b"data: " + _ERROR + b"\n\n" + done))
        script.parts[index:] = [event, Mark(fault=self), *script.terminator()]
        script.ended = "cut"
