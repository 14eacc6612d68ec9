"""Changed knowledge makes cached answers a miss: asked for in the change's own transaction, done until it is done.

A change that could not reach the cache's store leaves its asking in PostgreSQL; every instance looks for such askings.
"""

from reference_service.database import Database
from reference_service.guards.cache import Cache

_ASKED = "select id from invalidation order by id limit 1000"
_DONE = "delete from invalidation where id = any($1::bigint[]) returning id"


class Invalidation:
    """The askings, and the cache that they are for."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database = database
        self._cache = cache

    async def apply(self) -> int:
        """Invalidate where it was asked for; return how many askings that did. Raises StoreUnavailable."""
        asked = [row["id"] for row in await self._database.rows(_ASKED)]
        if asked:
            await self._cache.invalidate()
            await self._database.rows(_DONE, asked)
        return len(asked)
