"""PostgreSQL behind a pool of 20, a bound on every statement and a breaker.

Connections are made when they are first needed, so that the service starts while the database is down.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg

from reference_service.bounded import bounded
from reference_service.breaker import Breaker
from reference_service.errors import StoreUnavailable
from reference_service.settings import Settings

T = TypeVar("T")
Connection = Any
"""asyncpg has no types; a connection is what its documentation says."""

_GONE = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError, ConnectionError)
"""A connection that is no more. The driver's internal error is one of them: a server that shuts down tells an idle connection
so, and a statement sent before the driver has read on finds it between two states."""


class Database:
    """The pool. One statement a call; a failed one is tried again once where that is safe."""

    def __init__(self, settings: Settings, breaker: Breaker) -> None:
        self._settings = settings
        self._pool: Any = None
        self.breaker = breaker

    async def open(self) -> None:
        """Make the pool; connects to nothing yet."""
        s = self._settings
        self._pool = await asyncpg.create_pool(
            s.database_url,
            min_size=0,
            max_size=s.database_pool_max,
            max_inactive_connection_lifetime=s.database_idle_s,
            timeout=s.database_connect_timeout_s,
            reset=_keep,
            server_settings=self._server_settings(),
        )

    async def close(self) -> None:
        """Close every connection; one that does not let go is cut."""
        if self._pool is not None:
            try:
                await bounded(self._pool.close(), 1.0)
            except TimeoutError:
                self._pool.terminate()

    async def rows(self, sql: str, *arguments: object) -> list[Any]:
        """Return the rows of one statement that may safely run twice.

        Raises StoreUnavailable when there is no answer in time; errors of the statement itself pass through.
        """
        return await self._guarded(lambda connection: connection.fetch(sql, *arguments))

    async def transaction(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Return what `work` returns, all of its statements done or none; it may run twice. Raises like `rows`."""

        async def whole(connection: Connection) -> T:
            async with connection.transaction():
                return await work(connection)

        return await self._guarded(whole)

    async def apart(self, work: Callable[[Connection], Awaitable[None]]) -> None:
        """Give `work` one connection beside the pool for as long as it likes. Raises StoreUnavailable when that breaks."""
        connection = None
        try:
            connection = await bounded(self._connect(), self._settings.database_connect_timeout_s, unwanted=_end)
            await work(connection)
        except (*_GONE, OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise StoreUnavailable("postgres", type(error).__name__) from error
        finally:
            if connection is not None:
                connection.terminate()

    async def _connect(self) -> Connection:
        return await asyncpg.connect(
            self._settings.database_url,
            server_settings=self._server_settings(),
            timeout=self._settings.database_connect_timeout_s,
        )

    def _server_settings(self) -> dict[str, str]:
        s = self._settings
        return {"statement_timeout": str(int(s.database_timeout_s * 1000)), "application_name": s.instance}

    async def ping(self) -> None:
        """Raise StoreUnavailable unless the database answers."""
        await self._guarded(lambda connection: connection.fetch("select 1"), ask=False)

    async def _guarded(self, work: Callable[[Connection], Awaitable[T]], *, ask: bool = True) -> T:
        permit = self.breaker.admit()
        if permit is None and ask:
            raise StoreUnavailable("postgres", "its breaker is open")
        try:
            try:
                result = await self._once(work)
            except _GONE:
                # A pooled connection that died while idle says so only when it is used.
                result = await self._once(work)
        except (*_GONE, OSError, TimeoutError, asyncpg.QueryCanceledError, asyncpg.CannotConnectNowError) as error:
            if permit is not None:
                permit.fail()
            raise StoreUnavailable("postgres", type(error).__name__) from error
        except asyncpg.PostgresError as error:
            if permit is not None:
                permit.fail()
            raise StoreUnavailable("postgres", type(error).__name__) from error
        except BaseException:
            if permit is not None:
                permit.forget()
            raise
        if permit is not None:
            permit.succeed()
        return result

    async def _once(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        if self._pool is None:
            raise StoreUnavailable("postgres", "not opened")
        s = self._settings
        # Waiting for a free connection and making one share the connect bound; a user's request never waits longer.
        connection = await bounded(self._pool.acquire(), s.database_connect_timeout_s, unwanted=_end)
        try:
            result = await bounded(_await(work(connection)), s.database_timeout_s)
        except BaseException:
            # Whatever this connection still does, nobody waits for it.
            connection.terminate()
            await self._pool.release(connection)
            raise
        await self._pool.release(connection)
        return result


def _end(connection: Connection) -> None:
    """End a connection that came when nobody waited for it any more; its place in the pool is free again by that."""
    connection.terminate()


async def _keep(_: Connection) -> None:
    """Do not reset a connection at its release: nothing here outlives a statement, and a reset is a round trip a request."""


async def _await(work: Awaitable[T]) -> T:
    return await work
