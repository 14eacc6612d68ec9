"""An answer under a false name."""

from harness.model.fault import Parameter
from harness.provider.draft import Draft
from harness.provider.faults.base import ProviderFault


class WrongContentType(ProviderFault):
    """Sends a whole and right answer with another content type."""

    PARAMETERS = (Parameter(name="content_type", type=str, doc="the header's value", default="text/html; charset=utf-8"),)

    def edit_draft(self, draft: Draft) -> None:
        """Name it wrongly."""
        draft.content_type = self.text("content_type")
        draft.shown_after.append((0, self))
