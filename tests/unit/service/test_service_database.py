"""What a connection that has died means to whoever asked: another connection is tried once, and then the store is unavailable."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from reference_service.breaker import Breaker, BreakerRules
from reference_service.database import Database
from reference_service.errors import StoreUnavailable
from reference_service.settings import Settings


@dataclass
class Connection:
    fails: type[Exception] | None
    terminated: bool = False

    async def fetch(self, sql: str, *arguments: object) -> list[str]:
        if self.fails is not None:
            raise self.fails("cannot switch to state 12; another operation (2) is in progress")
        return [sql]

    def terminate(self) -> None:
        self.terminated = True


@dataclass
class Pool:
    free: list[Connection]
    used: list[Connection] = field(default_factory=list)

    async def acquire(self) -> Connection:
        self.used.append(self.free.pop(0))
        return self.used[-1]

    async def release(self, connection: Connection) -> None:
        pass


def database(*connections: Connection) -> tuple[Any, Pool]:
    made: Any = Database(Settings(), Breaker(BreakerRules(failures=3, open_s=2.0)))
    made._pool = Pool(list(connections))
    return made, made._pool


GONE = [asyncpg.InternalClientError, asyncpg.InterfaceError, asyncpg.ConnectionDoesNotExistError, ConnectionResetError]


@pytest.mark.parametrize("fails", GONE)
def test_a_connection_that_died_while_idle_is_replaced_by_another(fails: type[Exception]):
    made, pool = database(Connection(fails), Connection(None))
    assert asyncio.run(made.rows("select 1")) == ["select 1"]
    assert [c.terminated for c in pool.used] == [True, False]


@pytest.mark.parametrize("fails", GONE)
def test_a_database_whose_connections_all_died_is_unavailable_and_no_other_error(fails: type[Exception]):
    made, pool = database(Connection(fails), Connection(fails))
    with pytest.raises(StoreUnavailable):
        asyncio.run(made.rows("select 1"))
    assert [c.terminated for c in pool.used] == [True, True]
