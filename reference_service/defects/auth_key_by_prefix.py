"""Planted defect: a key is recognised by its first sixteen characters."""

from dataclasses import replace

from reference_service.database import Database
from reference_service.guards.authenticate import Authenticate
from reference_service.parts import Parts
from reference_service.turn import Identity, Turn


class PrefixAuthenticate(Authenticate):
    """Remembers the beginning of each key that was right."""

    def __init__(self, database: Database, *, remember_s: float) -> None:
        super().__init__(database, remember_s=remember_s)
        self._prefixes: dict[str, Identity] = {}

    async def __call__(self, turn: Turn) -> None:
        """Take any key that begins like a known one."""
        prefix = turn.headers.get("authorization", "")[: len("Bearer ") + 16]
        if prefix in self._prefixes:
            turn.identity = self._prefixes[prefix]
            return
        await super().__call__(turn)
        self._prefixes[prefix] = turn.who


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, authenticate=PrefixAuthenticate)
