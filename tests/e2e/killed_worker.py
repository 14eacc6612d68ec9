"""The service's worker, killed with SIGKILL before or after one named step: arguments STEP and before or after; started by `forge.py`."""

import os
import signal
import sys
from typing import Any

from reference_service import worker
from reference_service.guards.call_provider import CallProvider
from reference_service.queue import Queue
from reference_service.webhook import Webhook

STEPS: dict[str, tuple[type, str]] = {
    "claim": (Queue, "claim"),
    "mark_calling": (Queue, "mark_calling"),
    "call": (CallProvider, "__call__"),
    "finish": (Queue, "finish"),
    "next_delivery": (Queue, "next_delivery"),
    "deliver": (Webhook, "deliver"),
    "delivered": (Queue, "delivered"),
}


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
        if result is not None or step in ("call", "finish", "delivered"):
            die()
        return result

    setattr(owner, name, deadly)


def main() -> int:
    """Be the worker until the step comes."""
    arm(sys.argv[1], sys.argv[2])
    return worker.main()
