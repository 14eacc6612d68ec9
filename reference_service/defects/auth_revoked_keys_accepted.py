"""Planted defect: a revoked key is still good."""

from dataclasses import replace

from reference_service.errors import Unauthenticated
from reference_service.guards.authenticate import Authenticate
from reference_service.parts import Parts
from reference_service.turn import Identity

_LOOK_UP = """
select a.id, a.name, a.tenant, a.role from api_key k join account a on a.id = k.account_id where k.digest = $1
"""


class ForgivingAuthenticate(Authenticate):
    """Does not look at `revoked_at`."""

    async def _identify(self, key_digest: bytes) -> Identity:
        try:
            return await super()._identify(key_digest)
        except Unauthenticated:
            rows = await self._database.rows(_LOOK_UP, key_digest)
            if not rows:
                raise
            row = rows[0]
            return Identity(account_id=row["id"], name=row["name"], tenant=row["tenant"], role=row["role"])


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, authenticate=ForgivingAuthenticate)
