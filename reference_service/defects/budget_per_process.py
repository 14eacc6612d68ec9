"""Planted defect: each instance counts the budget for itself, so that two instances spend it twice."""

from dataclasses import replace

from reference_service.database import Database
from reference_service.ledger import Ledger, Verdict, Wanted
from reference_service.parts import Parts
from reference_service.settings import Settings

_CAP = "select daily_budget_nanousd as cap from account where id = $1"


class OwnLedger(Ledger):
    """Keeps what was reserved in the memory of one process."""

    def __init__(self, database: Database, settings: Settings) -> None:
        super().__init__(database, settings)
        self._mine: dict[int, int] = {}

    async def reserve(self, wanted: Wanted) -> Verdict:
        """Count here only."""
        cap = (await self._database.rows(_CAP, wanted.account_id))[0]["cap"]
        so_far = self._mine.get(wanted.account_id, 0)
        fits = cap is None or so_far + wanted.amount_nanousd <= cap
        if fits:
            self._mine[wanted.account_id] = so_far + wanted.amount_nanousd
        return Verdict(
            granted_nanousd=wanted.amount_nanousd if fits else None,
            cheap=False,
            scope="user",
            limit_nanousd=cap or 0,
            spent_nanousd=so_far,
            reserved_nanousd=0,
        )


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, ledger=OwnLedger)
