"""A usage block that is not what is billed."""

from harness.model.fault import Parameter
from harness.provider.draft import Draft
from harness.provider.faults.base import ProviderFault


class WrongUsage(ProviderFault):
    """Shows usage times a factor, rounded; the meter bills the truth. Not touched where nothing is shown or changed by it."""

    PARAMETERS = (Parameter(name="factor", type=float, doc="of what is shown to what is billed", low=0, high=1_000, default=0.5),)

    def edit_draft(self, draft: Draft) -> None:
        """Falsify it."""
        truth = draft.usage()
        draft.shown_usage_factor = self.number("factor")
        if draft.include_usage and draft.usage() != truth:
            draft.shown_in_usage.append(self)
