"""Waiting with a bound that holds, and that a busy event loop does not turn into a false alarm."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
SLICES = 5


async def bounded(work: Coroutine[Any, Any, T], limit_s: float) -> T:
    """Return what `work` returns, or cancel it and raise TimeoutError after about `limit_s` of a responsive loop.

    The work is not waited for once it is cancelled: a driver that does not let go must not hold a user.
    """
    task = asyncio.ensure_future(work)
    try:
        # In slices: while this process itself is stalled, a slice passes late and the socket is read before the next.
        # Only time in which the answer could have been seen counts against the one who is waited for.
        for _ in range(SLICES):
            done, _ = await asyncio.wait({task}, timeout=limit_s / SLICES)
            if done:
                break
    except asyncio.CancelledError:
        abandon(task)
        raise
    if not done:
        abandon(task)
        raise TimeoutError
    return task.result()


def abandon(task: "asyncio.Future[Any]") -> None:
    """Cancel a task and take whatever it still raises, so that nothing is reported as never retrieved."""
    task.cancel()
    task.add_done_callback(lambda t: t.cancelled() or t.exception())
