"""`python -m reference_service.provision`: migrations, then the users given as JSON on standard input.

Input: `{"users": [{"name": "alice", "key": "...", "tenant": "acme", "daily_budget_usd": 5.0 or null}]}`; `role` may be
`admin` or `auditor`. Giving a user again sets the tenant, role and budget and adds the key. Prints
`{"event":"provisioned","users":N}`.
"""

import asyncio
import json
import os
import sys

import asyncpg
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reference_service.errors import SettingsError
from reference_service.guards.authenticate import digest
from reference_service.migrate import migrate
from reference_service.pricing import nanousd
from reference_service.settings import Settings

_USERS = """
insert into account (name, tenant, role, daily_budget_nanousd)
select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
on conflict (name) do update set tenant = excluded.tenant, role = excluded.role,
    daily_budget_nanousd = excluded.daily_budget_nanousd
"""
_KEYS = """
insert into api_key (digest, account_id, hint)
select k.digest, a.id, k.hint from unnest($1::bytea[], $2::text[], $3::text[]) as k (digest, name, hint)
join account a on a.name = k.name
on conflict (digest) do update set account_id = excluded.account_id, revoked_at = null, expires_at = null, created_at = now()
"""


class User(BaseModel):
    """One user to be."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    name: str = Field(min_length=1, max_length=200)
    key: str = Field(min_length=16, max_length=512, repr=False)
    tenant: str = Field(min_length=1, max_length=200)
    daily_budget_usd: float | None = Field(default=None, ge=0, le=1e6)
    role: str = Field(default="user", pattern="^(user|admin|auditor)$")


class Order(BaseModel):
    """What standard input holds."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    users: list[User]


async def provision(database_url: str, order: Order) -> int:
    """Apply migrations and put the users in, all or none; return how many."""
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        await migrate(connection)
        users = list({u.name: u for u in order.users}.values())
        async with connection.transaction():
            await connection.execute(
                _USERS,
                [u.name for u in users],
                [u.tenant for u in users],
                [u.role for u in users],
                [None if u.daily_budget_usd is None else nanousd(u.daily_budget_usd) for u in users],
            )
            await connection.execute(
                _KEYS, [digest(u.key) for u in order.users], [u.name for u in order.users], [u.key[-4:] for u in order.users]
            )
        return len(users)
    finally:
        await connection.close()


def main() -> int:
    """Run the program; 2 for input that cannot be used, 5 for a database that cannot be reached."""
    try:
        settings = Settings.from_environment(os.environ, needs=("database_url",))
        order = Order.model_validate_json(sys.stdin.read())
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except ValidationError as error:
        sys.stderr.writelines(
            f"standard input: {'.'.join(map(str, e['loc']))}: {e['msg']}\n" for e in error.errors(include_input=False)
        )
        return 2
    try:
        users = asyncio.run(provision(settings.database_url, order))
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        sys.stderr.write(f"the database could not be provisioned: {type(error).__name__}: {error}\n")
        return 5
    sys.stdout.write(json.dumps({"event": "provisioned", "users": users}) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
