"""Planted defect: the budget is looked at before a call and increased after it, so that concurrent calls all pass."""

from dataclasses import replace

from reference_service.ledger import Ledger, Verdict, Wanted
from reference_service.parts import Parts

_LOOK = """
select a.daily_budget_nanousd as cap, coalesce(b.spent_nanousd, 0) as spent
from account a left join budget b on b.scope = 'user:' || a.id and b.day = (now() at time zone 'utc')::date where a.id = $1
"""


class UnheldLedger(Ledger):
    """Holds nothing."""

    async def reserve(self, wanted: Wanted) -> Verdict:
        """Compare with what was spent so far; what is under way is not seen."""
        row = (await self._database.rows(_LOOK, wanted.account_id))[0]
        fits = row["cap"] is None or row["spent"] + wanted.amount_nanousd <= row["cap"]
        return Verdict(
            granted_nanousd=wanted.amount_nanousd if fits else None,
            cheap=False,
            scope="user",
            limit_nanousd=row["cap"] or 0,
            spent_nanousd=row["spent"],
            reserved_nanousd=0,
        )


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, ledger=UnheldLedger)
