"""The service's worker, killed with SIGKILL before or after one named step: arguments STEP and before or after; started by `tests/forge.py`."""

import os
import signal
import sys
from typing import Any

from pgqueuer.adapters.persistence.queries import Queries

from reference_service import queue, worker
from reference_service.guards.call_provider import CallProvider
from reference_service.queue import Queue
from reference_service.webhook import Webhook

STEPS: dict[str, tuple[Any, str]] = {
    "dequeue": (Queries, "dequeue"),
    "claim": (Queue, "claim"),
    "mark_calling": (Queue, "mark_calling"),
    "call": (CallProvider, "__call__"),
    "put": (queue, "put"),
    "finish": (Queue, "finish"),
    "log_jobs": (Queries, "log_jobs"),
    "next_delivery": (Queue, "next_delivery"),
    "deliver": (Webhook, "deliver"),
    "delivered": (Queue, "delivered"),
    "retry_job": (Queries, "retry_job"),
}
"""Of the message, and of its job: `put` is between the answer and its delivery's job, `log_jobs` a job's end."""
SAYS_NOTHING = ("call", "put", "log_jobs", "retry_job")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(step: str, when: str) -> None:
    owner, name = STEPS[step]
    original = getattr(owner, name)

    async def deadly(self: Any, *given: Any, **named: Any) -> Any:
        if when == "before":
            die()
        result = await original(self, *given, **named)
        # An empty queue is no step yet.
        if result or step in SAYS_NOTHING:
            die()
        return result

    setattr(owner, name, deadly)


def main() -> int:
    """Be the worker until the step comes."""
    arm(sys.argv[1], sys.argv[2])
    return worker.main()
