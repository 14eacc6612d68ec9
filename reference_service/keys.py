"""`python -m reference_service.keys`: API keys that change without a dropped request.

`rotate NAME [--overlap HOURS]` makes a new key (printed once) and lets the old ones end after the overlap, 24 h by default;
`revoke NAME|HINT` ends keys now; `list [--older-than DAYS]` shows names, hints and ages, and exits with 1 where a key that
still works is older. Running instances hear of it within a second. A key's hint is its last four characters.
"""

import asyncio
import json
import os
import secrets
import sys
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg

from reference_service.errors import SettingsError
from reference_service.guards.authenticate import digest
from reference_service.settings import Settings

_ADD = """
insert into api_key (digest, account_id, hint) select $1, id, $2 from account where name = $3 returning account_id
"""
_END = """
update api_key set expires_at = least(expires_at, now() + make_interval(hours => 0, secs => $2))
where account_id = $1 and digest <> $3 and revoked_at is null and (expires_at is null or expires_at > now()) returning digest
"""
_REVOKE = """
update api_key k set revoked_at = now() from account a
where a.id = k.account_id and k.revoked_at is null and (a.name = $1 or (k.hint <> '' and k.hint = $1)) returning a.name
"""
_LIST = """
select a.name, k.hint, k.created_at, k.expires_at from api_key k join account a on a.id = k.account_id
where k.revoked_at is null and (k.expires_at is null or k.expires_at > now()) order by k.created_at, a.name
"""


async def rotate(connection: Any, name: str, *, overlap_s: float) -> dict[str, object]:
    """Return the new key of an account and how many old ones now end. Raises SettingsError for an unknown name."""
    key = f"sk-{secrets.token_urlsafe(32)}"
    async with connection.transaction():
        row = await connection.fetchrow(_ADD, digest(key), key[-4:], name)
        if row is None:
            raise SettingsError(f"there is no account {name}")
        ended = await connection.fetch(_END, row["account_id"], overlap_s, digest(key))
        await _note(connection, name, "key.rotate", f"{len(ended)} old keys end in {overlap_s:g} s")
    return {"event": "rotated", "name": name, "key": key, "old_keys": len(ended), "overlap_s": overlap_s}


async def revoke(connection: Any, which: str) -> dict[str, object]:
    """End keys now, by account name or by hint. Raises SettingsError where none is found."""
    async with connection.transaction():
        rows = await connection.fetch(_REVOKE, which)
        if not rows:
            raise SettingsError(f"no working key belongs to {which}")
        for row in rows:
            await _note(connection, row["name"], "key.revoke", "")
    return {"event": "revoked", "keys": len(rows)}


async def listed(connection: Any, *, older_than_days: float | None) -> dict[str, object]:
    """Return the keys that work, with their ages in days; only the older ones where a bound is given."""
    now = datetime.now(UTC)
    rows = [
        {
            "name": row["name"],
            "hint": row["hint"],
            "age_days": round((now - row["created_at"]).total_seconds() / 86400, 3),
            "expires_at": None if row["expires_at"] is None else row["expires_at"].isoformat(),
        }
        for row in await connection.fetch(_LIST)
    ]
    if older_than_days is not None:
        rows = [row for row in rows if row["age_days"] > older_than_days]
    return {"event": "keys", "keys": rows}


async def _note(connection: Any, name: str, action: str, detail: str) -> None:
    """Write the audit entry in the same transaction: no key changes unseen."""
    entry = {
        "id": str(uuid.uuid4()), "at": datetime.now(UTC).isoformat(), "request_id": "", "actor": "operator",
        "tenant": await connection.fetchval("select tenant from account where name = $1", name),
        "action": action, "outcome": "done", "detail": f"{name} {detail}".strip(),
    }  # fmt: skip
    await connection.execute("select audit_append($1::jsonb)", json.dumps([entry]))


async def run(settings: Settings, arguments: Sequence[str]) -> dict[str, object]:
    """Do what the command line asks. Raises SettingsError."""
    connection = await asyncpg.connect(settings.database_url, timeout=10)
    try:
        match list(arguments):
            case ["rotate", name]:
                return await rotate(connection, name, overlap_s=24 * 3600)
            case ["rotate", name, "--overlap", hours]:
                return await rotate(connection, name, overlap_s=3600 * _number(hours))
            case ["revoke", which]:
                return await revoke(connection, which)
            case ["list"]:
                return await listed(connection, older_than_days=None)
            case ["list", "--older-than", days]:
                return await listed(connection, older_than_days=_number(days))
        raise SettingsError("use: rotate NAME [--overlap HOURS] | revoke NAME|HINT | list [--older-than DAYS]")
    finally:
        await connection.close()


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 24 * 366:
        raise SettingsError(f"{text} is not a number of hours or days from 0 on")
    return value


def main(arguments: Sequence[str]) -> int:
    """Run the program: 2 for wrong use, 5 without a database; `list --older-than` exits with 1 where it found any."""
    try:
        settings = Settings.from_environment(os.environ, needs=("database_url",))
        done = asyncio.run(run(settings, arguments))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        sys.stderr.write(f"the database could not be used: {type(error).__name__}: {error}\n")
        return 5
    sys.stdout.write(json.dumps(done) + "\n")
    return 1 if "--older-than" in arguments and done["keys"] else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
