"""The queue library's statements through the service's own pool: bounded, and patient with a database that is away."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Self

from pgqueuer.core.tm import TaskManager
from pgqueuer.ports.driver import Driver, NotifyCallback

from reference_service.database import Database
from reference_service.errors import StoreUnavailable
from reference_service.patience import patiently

LOOK_EVERY_S = 10.0
AGAIN_AFTER_S = 0.2


class PoolDriver(Driver):
    """A driver of the library. stopping: set when the worker is to end, after which nothing waits longer than `last_s`.

    away: called each time the database has not answered. A statement may run twice: a job that was claimed by one whose
    answer got lost comes again when its heart has been silent for long enough.
    """

    def __init__(self, database: Database, *, stopping: asyncio.Event, last_s: float, away: Callable[[], None]) -> None:
        self._database = database
        self._stopping = stopping
        self._last_s = last_s
        self._away = away
        self._listeners: list[tuple[str, NotifyCallback]] = []
        self._changed = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None
        self._entered = 0

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Return the rows of one statement. Raises StoreUnavailable only at the end of the worker."""
        rows = await patiently(
            lambda: self._database.rows(query, *args),
            stopping=self._stopping,
            last_s=self._last_s,
            away=self._away,
            again_after_s=AGAIN_AFTER_S,
        )
        return [dict(row) for row in rows]

    async def execute(self, query: str, *args: object) -> str:
        """Run one statement."""
        await self.fetch(query, *args)
        return ""

    async def notify(self, channel: str, payload: str) -> None:
        """Send a notification."""
        await self.execute("select pg_notify($1, $2)", channel, payload)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Have what is notified on a channel told to `callback`, soon; who must not miss anything looks now and then as well."""
        self._listeners.append((channel, callback))
        self._changed.set()

    async def remove_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Tell `callback` no more."""
        with contextlib.suppress(ValueError):
            self._listeners.remove((channel, callback))

    @property
    def shutdown(self) -> asyncio.Event:
        """What is set when the worker is to end."""
        return self._stopping

    @property
    def tm(self) -> TaskManager:
        """The library's tasks of this driver: none."""
        return TaskManager()

    async def __aenter__(self) -> Self:
        self._entered += 1
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._entered -= 1
        if self._entered == 0 and self._listening is not None:
            listening, self._listening = self._listening, None
            listening.cancel()
            await asyncio.wait({listening})

    async def _listen(self) -> None:
        """Keep one connection that listens; while there is none, workers find their jobs by looking."""
        while True:
            with contextlib.suppress(StoreUnavailable):
                await self._database.apart(self._told)
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _told(self, connection: Any) -> None:
        heard: set[str] = set()
        connection.add_termination_listener(lambda _: self._changed.set())
        while not connection.is_closed():
            self._changed.clear()
            for channel in {channel for channel, _ in self._listeners} - heard:
                await asyncio.wait_for(connection.add_listener(channel, self._tell), LOOK_EVERY_S)
                heard.add(channel)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), LOOK_EVERY_S)
                continue
            # A connection whose other end is gone without a word says so only when it is asked.
            await connection.fetch("select 1", timeout=LOOK_EVERY_S)

    def _tell(self, _connection: object, _pid: object, channel: str, payload: str) -> None:
        for wanted, callback in self._listeners:
            if wanted == channel:
                callback(payload)
