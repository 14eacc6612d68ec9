"""Planted defect: a reservation that does not fit is shrunk to what is left, and the call made all the same."""

from dataclasses import replace

from reference_service.ledger import Ledger, Verdict, Wanted
from reference_service.parts import Parts


class ShrinkingLedger(Ledger):
    """Never refuses while a nano-dollar is left."""

    async def reserve(self, wanted: Wanted) -> Verdict:
        """Ask again for what is left."""
        verdict = await super().reserve(wanted)
        left = verdict.limit_nanousd - verdict.spent_nanousd - verdict.reserved_nanousd
        if verdict.granted_nanousd is None and left > 0:
            return await super().reserve(replace(wanted, amount_nanousd=left))
        return verdict


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, ledger=ShrinkingLedger)
