"""A provider that is slower the more it has to do."""

from harness.model.fault import Parameter
from harness.provider.draft import Draft
from harness.provider.faults.base import ProviderFault
from harness.provider.script import Mark


class BrownOut(ProviderFault):
    """Stretches first token and pace of a call by 1 + slope x (calls under way above the knee), at its arrival."""

    PARAMETERS = (
        Parameter(name="knee", type=int, unit="calls", doc="under way before it slows", low=0, high=100_000, default=10),
        Parameter(name="slope", type=float, doc="added to the factor by each call above", low=0.001, high=1_000, default=0.1),
        Parameter(name="ceiling", type=float, doc="the largest factor", low=1, high=10_000, default=20),
    )

    def edit_draft(self, draft: Draft) -> None:
        """Slow down."""
        above = draft.active - self.integer("knee")
        if above > 0:
            factor = min(self.number("ceiling"), 1 + self.number("slope") * above)
            draft.first_wait_ns = round(draft.first_wait_ns * factor)
            draft.gap_ns = round(draft.gap_ns * factor)
            draft.opening.append(Mark(fault=self))
