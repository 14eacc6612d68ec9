"""Connections to the shared store: the driver's, without its pool and its client.

Those two cost a request more than the command itself (decision 0113). What they did that is needed is done here: there is
room for so many and no more, a connection that died while idle is made anew before it is used, and one that was left in
the middle of an answer is cut, never handed on.
"""

import asyncio
from typing import Any

import redis.asyncio as redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError


class Connections:
    """At most `most` to one store, made when they are first needed. Who asks bounds the time; connect_s bounds connecting."""

    def __init__(self, url: str, *, most: int, connect_s: float) -> None:
        self._pool: redis.ConnectionPool = redis.ConnectionPool.from_url(  # reads the address; keeps no connection
            url,
            socket_connect_timeout=connect_s,
            protocol=2,
            driver_info=None,  # nothing is said at connecting: the first command is the first byte
            retry=Retry(NoBackoff(), 0),  # a retried script would count a request twice
        )
        self._free: list[AbstractConnection] = []
        self._room = asyncio.Semaphore(most)

    async def ask(self, *words: str | bytes | int) -> Any:
        """Send one command and return its answer. Raises RedisError, OSError."""
        async with self._room:
            connection = self._free.pop() if self._free else self._made()
            try:
                if not connection.is_connected or await connection.can_read():  # closed by the other side while idle
                    await connection.disconnect(nowait=True)
                    await connection.connect()  # type: ignore[no-untyped-call]  # redis leaves it untyped
                await connection.send_packed_command(connection.pack_command(*words), check_health=False)
                return await connection.read_response()
            except ResponseError:
                raise  # an answer like any other: the connection is as good as before
            except BaseException:
                await connection.disconnect(nowait=True)
                raise
            finally:
                self._free.append(connection)

    def _made(self) -> AbstractConnection:
        made: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]  # redis leaves it untyped
        return made

    async def close(self) -> None:
        """Close every connection that is not in use."""
        while self._free:
            await self._free.pop().disconnect(nowait=True)
