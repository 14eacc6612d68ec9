"""Which tables a lock is for, by the names that the server has: nothing that a user wrote becomes SQL."""

from typing import Any

from harness.errors import FaultError, did_you_mean

_TABLES = """
SELECT n.nspname, c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
ORDER BY c.oid
"""


async def chosen_tables(connection: Any, pattern: str) -> list[str]:
    """Return the quoted names of the tables that a pattern means, in the order of their making. Raises FaultError.

    pattern: `*`, `name` in schema public, or `schema.name`.
    """
    rows = [(str(schema), str(name), str(quoted)) for schema, name, quoted in await connection.fetch(_TABLES)]
    if pattern == "*":
        chosen = [quoted for _, _, quoted in rows]
    else:
        schema, _, name = pattern.rpartition(".")
        chosen = [quoted for found, table, quoted in rows if (found, table) == (schema or "public", name)]
    if not chosen:
        names = [table if schema == "public" else f"{schema}.{table}" for schema, table, _ in rows]
        raise FaultError(
            f"the database has no table {pattern!r}; it has {', '.join(names) or 'none'}{did_you_mean(pattern, names)}"
        )
    return chosen
