"""Waiting for a database that is away: for ever while the worker works, and a little once it is to end."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from reference_service.errors import StoreUnavailable

T = TypeVar("T")


async def patiently(
    work: Callable[[], Awaitable[T]], *, stopping: asyncio.Event, last_s: float, away: Callable[[], None], again_after_s: float
) -> T:
    """Return what `work` returns, however long its database is away; away: called each time it has not answered.

    Raises StoreUnavailable only when it has tried for `last_s` after `stopping` was set.
    """
    give_up: float | None = None
    while True:
        try:
            return await work()
        except StoreUnavailable:
            away()
            if stopping.is_set():
                give_up = give_up or time.monotonic() + last_s
                if time.monotonic() > give_up:
                    raise
            await asyncio.sleep(again_after_s)
