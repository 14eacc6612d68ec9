"""The audit log: who did what, when, with what outcome; appended by every process, changed by none.

Entries wait at most a moment in memory and go to PostgreSQL in batches. While it is away they wait, up to a bound; what
passes the bound is counted and said. `python -m reference_service.audit verify` finds what was changed or removed;
`head` prints the end of the chain, to be kept elsewhere and given to a later `verify --expect SEQ:HASH`.
"""

import asyncio
import json
import os
import sys
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC
from hashlib import sha256
from typing import Any

import asyncpg
import msgspec

from reference_service.bounded import abandon
from reference_service.clock import wall_now
from reference_service.database import Database
from reference_service.errors import SettingsError, StoreUnavailable
from reference_service.settings import Settings

_APPEND = "select seq, hash from audit_append($1::jsonb)"
_READ = """
select seq, at, request_id, actor, tenant, action, outcome, detail from audit where tenant = $1 and seq > $2 order by seq limit $3
"""
BATCH = 200
MOST_WAITING = 20_000
GATHER_S = 0.1


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done or refused. actor: an account's name, or what else is known; never a key."""

    id: str
    at: str
    request_id: str
    actor: str
    tenant: str
    action: str
    outcome: str
    detail: str


class Audit:
    """One process's way to the log."""

    def __init__(self, database: Database, write_log: Callable[[dict[str, object]], None]) -> None:
        self._database = database
        self._write_log = write_log
        self._waiting: deque[Entry] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self.dropped = 0

    def start(self) -> None:
        """Begin to carry; needs a running loop."""
        self._task = asyncio.create_task(self._carry(), name="audit")

    def note(self, *, request_id: str, actor: str, tenant: str, action: str, outcome: str, detail: str = "") -> None:
        """Take an entry; never waits and never fails."""
        at = wall_now().isoformat(timespec="microseconds")
        if len(self._waiting) >= MOST_WAITING:
            self.dropped += 1
            return
        words = (request_id, actor, tenant, action, outcome, detail)
        request_id, actor, tenant, action, outcome, detail = (w.replace("\x00", "")[:300] for w in words)
        self._waiting.append(
            Entry(
                id=str(uuid.uuid4()),
                at=at,
                request_id=request_id,
                actor=actor,
                tenant=tenant,
                action=action,
                outcome=outcome,
                detail=detail,
            )
        )
        self._wake.set()

    async def read(self, tenant: str, *, after: int, limit: int) -> list[dict[str, object]]:
        """Return a tenant's entries after number `after`, oldest first. Raises StoreUnavailable."""
        return [{**dict(row), "at": row["at"].isoformat()} for row in await self._database.rows(_READ, tenant, after, limit)]

    async def close(self, limit_s: float) -> int:
        """Flush what is left within `limit_s`; return how many entries the database did not take."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=limit_s)
            if not self._task.done():
                abandon(self._task)
            self._task = None
        return len(self._waiting)

    async def keep(self, batch: list[Entry]) -> list[Any]:
        """Append entries; return the new end of the chain. Raises StoreUnavailable, and may then be asked again."""
        return list(await self._database.rows(_APPEND, msgspec.json.encode(batch).decode()))

    async def _carry(self) -> None:
        while not (self._closing and not self._waiting):
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            if not self._closing:
                await asyncio.sleep(GATHER_S)
            batch = [self._waiting[i] for i in range(min(BATCH, len(self._waiting)))]
            try:
                rows = await self.keep(batch)
            except StoreUnavailable:
                await asyncio.sleep(0.05 if self._closing else 0.5)
                continue
            for _ in batch:
                self._waiting.popleft()
            if self.dropped:
                dropped, self.dropped = self.dropped, 0
                self.note(request_id="", actor="service", tenant="", action="audit.overflow", outcome="lost", detail=str(dropped))
            # The end of the chain also stands in the process's log, which is shipped elsewhere: whoever cuts the table is seen.
            if rows:
                self._write_log({"event": "audit", "seq": rows[0]["seq"], "hash": rows[0]["hash"].hex(), "entries": len(batch)})


async def verify(connection: Any, *, expect: tuple[int, str] | None = None) -> tuple[int, str]:
    """Return the number of entries and the last hash. Raises SettingsError, naming the first entry that is wrong."""
    previous, number = b"\x00", 0
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        head = await connection.fetchrow("select seq, hash from audit_head")
        async for row in connection.cursor("select * from audit order by seq", prefetch=1000):
            number += 1
            if row["seq"] != number:
                raise SettingsError(f"audit: entry {number} is missing")
            if row["previous"] != previous or row["hash"] != _hash(previous, row):
                raise SettingsError(f"audit: entry {number} was changed")
            previous = row["hash"]
            if expect is not None and expect[0] == number and expect[1] != previous.hex():
                raise SettingsError(f"audit: entry {number} is not the one that was kept elsewhere")
    if head is None or (head["seq"], head["hash"]) != (number, previous):
        raise SettingsError(
            f"audit: entries after {number} are missing"
            if head is None or head["seq"] > number
            else "audit: the head was changed"
        )
    if expect is not None and expect[0] > number:
        raise SettingsError(f"audit: entries after {number} are missing; {expect[0]} were known elsewhere")
    return number, previous.hex()


def _hash(previous: bytes, row: Any) -> bytes:
    fields = [row[name].encode() for name in ("request_id", "actor", "tenant", "action", "outcome", "detail")]
    at = row["at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    written = f"{row['seq']}|{at}|".encode() + b"|".join(str(len(f)).encode() + b":" + f for f in fields)
    return sha256(previous + written).digest()


async def run(settings: Settings, arguments: Sequence[str]) -> dict[str, object]:
    """Do what the command line asks; return what to print. Raises SettingsError."""
    connection = await asyncpg.connect(settings.database_url, timeout=10)
    try:
        match list(arguments):
            case ["head"]:
                row = await connection.fetchrow("select seq, hash from audit_head")
                return {"event": "head", "at": time.time(), "head": f"{row['seq']}:{row['hash'].hex()}"}
            case ["verify"]:
                number, end = await verify(connection)
            case ["verify", "--expect", given] if given.partition(":")[0].isdigit():
                number, end = await verify(connection, expect=(int(given.partition(":")[0]), given.partition(":")[2]))
            case _:
                raise SettingsError("use: verify [--expect SEQ:HASH] | head")
        return {"event": "verified", "entries": number, "head": f"{number}:{end}"}
    finally:
        await connection.close()


def main(arguments: Sequence[str]) -> int:
    """Run the program: 1 where the log was tampered with, 2 for wrong use, 5 without a database."""
    try:
        settings = Settings.from_environment(os.environ, needs=("database_url",))
        sys.stdout.write(json.dumps(asyncio.run(run(settings, arguments))) + "\n")
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1 if str(error).startswith("audit: ") else 2
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        sys.stderr.write(f"the database could not be read: {type(error).__name__}: {error}\n")
        return 5
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
