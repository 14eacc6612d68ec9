"""Valkey behind a bound of about 100 ms and a breaker: it answers in time, or StoreUnavailable is raised."""

from collections.abc import Coroutine, Sequence
from hashlib import sha1
from typing import Any, TypeVar

from redis.exceptions import NoScriptError, RedisError

from reference_service.bounded import bounded
from reference_service.breaker import Breaker
from reference_service.errors import StoreUnavailable
from reference_service.store_connections import Connections

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
        self._connections = Connections(url, most=connections, connect_s=timeout_s)

    async def script(self, script: Script, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Run a script atomically; it is sent again where the store has forgotten it."""
        return await self._guarded(self._script(script, keys, arguments))

    async def command(self, *words: str | bytes | int) -> Any:
        """Run one command."""
        return await self._guarded(self._connections.ask(*words))

    async def ping(self) -> None:
        """Raise StoreUnavailable unless the store answers. Does not ask the breaker first, but tells it."""
        await self._guarded(self._connections.ask("PING"), ask=False)

    async def close(self) -> None:
        """Close every connection."""
        await self._connections.close()

    async def _script(self, script: Script, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        try:
            return await self._connections.ask("EVALSHA", script.sha, len(keys), *keys, *arguments)
        except NoScriptError:
            return await self._connections.ask("EVAL", script.source, len(keys), *keys, *arguments)

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
