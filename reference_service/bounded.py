"""Waiting with a bound that holds, and that a busy event loop does not turn into a false alarm."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
GRACE_S = 0.02


async def bounded(work: Coroutine[Any, Any, T], limit_s: float) -> T:
    """Return what `work` returns, or cancel it and raise TimeoutError after about `limit_s`.

    The work is not waited for once it is cancelled: a driver that does not let go must not hold a user.
    """
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=limit_s)
        if not done:
            # A stalled loop runs its timers before it reads its sockets: the answer may already lie there.
            done, _ = await asyncio.wait({task}, timeout=GRACE_S)
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
