"""Valkey behind a bound of about 100 ms and a breaker: it answers in time, or StoreUnavailable is raised."""

from collections.abc import Coroutine, Sequence
from hashlib import sha1
from typing import Any, TypeVar

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from reference_service.bounded import bounded
from reference_service.breaker import Breaker
from reference_service.errors import StoreUnavailable

T = TypeVar("T")


class Script:
    """A Lua script and the digest it is called by."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.sha = sha1(source.encode(), usedforsecurity=False).hexdigest()


class Store:
    """The shared store. timeout_s bounds every command, connecting included."""

    def __init__(self, url: str, *, timeout_s: float, breaker: Breaker, connections: int = 16) -> None:
        self._timeout_s = timeout_s
        self.breaker = breaker
        pool = redis.BlockingConnectionPool.from_url(
            url,
            max_connections=connections,
            timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            socket_timeout=10 * timeout_s,  # `bounded` is the bound; this one only cleans up behind it
            protocol=2,
            driver_info=None,  # nothing is said at connecting: the first command is the first byte
            retry=Retry(NoBackoff(), 0),  # a retried script would count a request twice
        )
        self._client: redis.Redis = redis.Redis.from_pool(pool)

    async def script(self, script: Script, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Run a script atomically; it is sent again where the store has forgotten it."""
        return await self._guarded(self._script(script, keys, arguments))

    async def command(self, *words: str | bytes | int) -> Any:
        """Run one command."""
        return await self._guarded(self._execute(*words))

    async def ping(self) -> None:
        """Raise StoreUnavailable unless the store answers. Does not ask the breaker first, but tells it."""
        await self._guarded(self._execute("PING"), ask=False)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def _execute(self, *words: str | bytes | int) -> Any:
        return await self._client.execute_command(*words)  # type: ignore[no-untyped-call]  # redis leaves it untyped

    async def _script(self, script: Script, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        try:
            return await self._execute("EVALSHA", script.sha, len(keys), *keys, *arguments)
        except NoScriptError:
            return await self._execute("EVAL", script.source, len(keys), *keys, *arguments)

    async def _guarded(self, work: Coroutine[Any, Any, T], *, ask: bool = True) -> T:
        permit = self.breaker.admit()
        if permit is None and ask:
            work.close()
            raise StoreUnavailable("store", "its breaker is open")
        try:
            result = await bounded(work, self._timeout_s)
        except (RedisError, OSError, TimeoutError) as error:
            if permit is not None:
                permit.fail()
            raise StoreUnavailable("store", type(error).__name__) from error
        except BaseException:
            if permit is not None:
                permit.forget()
            raise
        if permit is not None:
            permit.succeed()
        return result
