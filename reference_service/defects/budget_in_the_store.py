"""Planted defect: the ledger of the budget lives in Valkey, so that a flush gives everybody a new one."""

from dataclasses import replace

import redis.asyncio as redis

from reference_service.database import Database
from reference_service.ledger import Ledger, Verdict, Wanted
from reference_service.parts import Parts
from reference_service.settings import Settings

_CAP = "select daily_budget_nanousd as cap from account where id = $1"


class StoreLedger(Ledger):
    """Counts in Valkey."""

    def __init__(self, database: Database, settings: Settings) -> None:
        super().__init__(database, settings)
        self._store: redis.Redis = redis.Redis.from_url(settings.store_url)

    async def reserve(self, wanted: Wanted) -> Verdict:
        """Add to a counter of the store."""
        cap = (await self._database.rows(_CAP, wanted.account_id))[0]["cap"]
        spent = int(await self._store.incrby(f"spent:{wanted.account_id}", wanted.amount_nanousd))
        fits = cap is None or spent <= cap
        return Verdict(
            granted_nanousd=wanted.amount_nanousd if fits else None,
            cheap=False,
            scope="user",
            limit_nanousd=cap or 0,
            spent_nanousd=spent,
            reserved_nanousd=0,
        )


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, ledger=StoreLedger)
