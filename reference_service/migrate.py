"""Plain SQL files, applied once each, in order, under a lock; a file that changed after it was applied is refused."""

from hashlib import sha256
from importlib.resources import files
from typing import Any

_TABLE = """
create table if not exists schema_migration
(name text primary key, digest text not null, applied_at timestamptz not null default now())
"""


def migrations() -> list[tuple[str, str]]:
    """Return (name, SQL) of every migration, in order."""
    folder = files("reference_service") / "migrations"
    return sorted((f.name, f.read_text(encoding="utf-8")) for f in folder.iterdir() if f.name.endswith(".sql"))


async def migrate(connection: Any) -> int:
    """Apply what is missing, each file in a transaction of its own; return how many were applied.

    Raises RuntimeError where an applied file's text is no longer the same.
    """
    applied = 0
    await connection.execute("select pg_advisory_lock(6060)")
    try:
        await connection.execute(_TABLE)
        done = {row["name"]: row["digest"] for row in await connection.fetch("select name, digest from schema_migration")}
        for name, sql in migrations():
            digest = sha256(sql.encode()).hexdigest()
            if name in done:
                if done[name] != digest:
                    raise RuntimeError(f"migration {name} was changed after it was applied; add a new file instead")
                continue
            async with connection.transaction():
                await connection.execute(sql)
                await connection.execute("insert into schema_migration (name, digest) values ($1, $2)", name, digest)
            applied += 1
    finally:
        await connection.execute("select pg_advisory_unlock(6060)")
    return applied
