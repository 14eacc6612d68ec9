"""Waiting with a bound that holds, and that a busy event loop does not turn into a false alarm."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
SLICES = 5


async def bounded(work: Coroutine[Any, Any, T], limit_s: float, *, unwanted: Callable[[T], None] | None = None) -> T:
    """Return what `work` returns, or cancel it and raise TimeoutError after about `limit_s` of a responsive loop.

    The work is not waited for once it is cancelled: a driver that does not let go must not hold a user.
    unwanted: given what came all the same when nobody waits any more, a connection say: in a loop that stalled the work is
    done in the very turn in which its caller is cancelled.
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
        abandon(task, unwanted)
        raise
    if not done:
        abandon(task, unwanted)
        raise TimeoutError
    return task.result()


def abandon(task: "asyncio.Future[T]", unwanted: Callable[[T], None] | None = None) -> None:
    """Cancel a task and take whatever it still raises, so that nothing is reported as never retrieved.

    unwanted: given what it returns all the same.
    """

    def end(ended: "asyncio.Future[T]") -> None:
        if not ended.cancelled() and ended.exception() is None and unwanted is not None:
            unwanted(ended.result())

    task.cancel()
    task.add_done_callback(end)
