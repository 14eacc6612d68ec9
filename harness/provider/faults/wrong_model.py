"""An answer by somebody else."""

from harness.model.fault import Parameter
from harness.provider.draft import Draft
from harness.provider.faults.base import ProviderFault


class WrongModel(ProviderFault):
    """Names another model in the answer than the one that was asked; billed as the one that was asked."""

    PARAMETERS = (Parameter(name="model", type=str, doc="the name in the answer", default="sim-unasked"),)

    def edit_draft(self, draft: Draft) -> None:
        """Sign with the other name."""
        draft.shown_model = self.text("model")
        draft.shown_after.append((0, self))
