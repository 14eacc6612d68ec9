"""A bill that is not shown."""

from harness.provider.draft import Draft
from harness.provider.faults.base import ProviderFault


class MissingUsage(ProviderFault):
    """Leaves out the usage block where one is due; a stream that was not asked for it is not touched. The meter still bills."""

    def edit_draft(self, draft: Draft) -> None:
        """Leave it out."""
        if draft.include_usage:
            draft.usage_left_out = True
            draft.shown_in_usage.append(self)
