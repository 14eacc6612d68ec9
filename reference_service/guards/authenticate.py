"""Who asks: a bearer key, looked up by its digest.

Keys are kept as plain SHA-256: they are random and long (provisioning refuses less than 16 characters), so there is no
dictionary to try, and a slow hash on every request would cost every user and slow no thief.
"""

import time
from collections import OrderedDict
from hashlib import sha256

from reference_service.database import Database
from reference_service.errors import GuardUnavailable, StoreUnavailable, Unauthenticated
from reference_service.turn import Identity, Turn

_LOOK_UP = """
select a.id, a.name, a.tenant, a.role, extract(epoch from k.expires_at - now())::float8 as left_s
from api_key k join account a on a.id = k.account_id
where k.digest = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
"""
_CHANGED = "select coalesce(max(id), 0) as last from key_change"
MAX_KEY_CHARACTERS = 512
MAX_REMEMBERED = 20_000


def digest(key: str) -> bytes:
    """Return what is stored in place of a key."""
    return sha256(key.encode("utf-8", "surrogatepass")).digest()


class Authenticate:
    """Sets `identity`. remember_s: how long a revoked key may still pass where `refresh` cannot hear of it."""

    look_up = _LOOK_UP

    def __init__(self, database: Database, *, remember_s: float) -> None:
        self._database = database
        self._remember_s = remember_s
        self._known: OrderedDict[bytes, tuple[float, Identity]] = OrderedDict()
        self._last_change = -1

    async def __call__(self, turn: Turn) -> None:
        """Raise Unauthenticated without a valid key, GuardUnavailable when it cannot be looked up."""
        scheme, _, key = turn.headers.get("authorization", "").partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key:
            raise Unauthenticated(
                "Send your key as 'Authorization: Bearer KEY'.", code="missing_api_key", headers={"www-authenticate": "Bearer"}
            )
        if len(key) > MAX_KEY_CHARACTERS:
            raise _wrong_key()
        turn.identity = await self._identify(digest(key))

    async def refresh(self) -> None:
        """Forget what is remembered if any key or account has changed. Raises StoreUnavailable."""
        last = (await self._database.rows(_CHANGED))[0]["last"]
        if last != self._last_change:
            self._known.clear()
            self._last_change = last

    async def _identify(self, key_digest: bytes) -> Identity:
        known = self._known.get(key_digest)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        heard = self._last_change
        try:
            rows = await self._database.rows(self.look_up, key_digest)
        except StoreUnavailable as error:
            # An infrastructure fault is never the user's 401.
            raise GuardUnavailable("authenticate") from error
        if not rows:
            self._known.pop(key_digest, None)
            raise _wrong_key()
        row = rows[0]
        identity = Identity(account_id=row["id"], name=row["name"], tenant=row["tenant"], role=row["role"])
        remember_s = self._remember_s if row["left_s"] is None else min(self._remember_s, row["left_s"])
        if heard != self._last_change:
            return identity  # looked up before a change that was heard of meanwhile: good for this once
        self._known[key_digest] = (time.monotonic() + remember_s, identity)
        self._known.move_to_end(key_digest)
        while len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)
        return identity


def _wrong_key() -> Unauthenticated:
    return Unauthenticated("This key is not valid.", code="invalid_api_key", headers={"www-authenticate": "Bearer"})
