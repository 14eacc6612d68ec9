"""Connections to a PostgreSQL whose every statement ends in time. The one module that imports its driver."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import asyncpg

from harness.errors import FaultError

T = TypeVar("T")

NAME = "harness-fault"
"""What our connections call themselves in the server's list."""

TOO_MANY = asyncpg.exceptions.TooManyConnectionsError
READ_ONLY = asyncpg.exceptions.ReadOnlySQLTransactionError
LOCKED = asyncpg.exceptions.LockNotAvailableError


async def connect(address: str, user: str, database: str, password: str | None) -> Any:
    """Return a connection that may write even where writing is refused by default."""
    host, _, port = address.rpartition(":")
    return await asyncpg.connect(
        host=host,
        port=int(port),
        user=user,
        database=database,
        password=password,
        timeout=2.0,
        command_timeout=3.0,
        statement_cache_size=0,
        server_settings={"application_name": NAME},
    )


def nobody_there(error: BaseException) -> bool:
    """Return whether an error says that no server listens: its settings are gone with it, or wait in a stopped one."""
    if isinstance(error, ConnectionRefusedError):
        return True
    parts: list[BaseException] = list(getattr(error, "exceptions", ()))
    return bool(parts) and all(isinstance(part, ConnectionRefusedError) for part in parts)


class Loop:
    """An event loop in a thread of its own, for work that is asked for from other threads."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="fault-database", daemon=True).start()

    def do(self, work: Coroutine[Any, Any, T], *, within_s: float, what: str) -> T:
        """Return what the work returns. Raises FaultError that names `what`, from whatever went wrong."""
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, within_s), self._loop)
        try:
            return future.result(within_s + 1.0)
        except FaultError:
            raise
        except TimeoutError as error:
            future.cancel()
            raise FaultError(f"{what}: the database did not answer within {within_s:.0f} s") from error
        except Exception as error:
            raise FaultError(f"{what}: {type(error).__name__}: {error}") from error

    def end(self) -> None:
        """End the thread; nothing can be asked for any more."""
        self._loop.call_soon_threadsafe(self._loop.stop)


def do_once(work: Coroutine[Any, Any, T], *, within_s: float, what: str) -> T:
    """As `Loop.do`, for who asks a single time: no thread stays behind. Raises FaultError."""
    loop = Loop()
    try:
        return loop.do(work, within_s=within_s, what=what)
    finally:
        loop.end()
