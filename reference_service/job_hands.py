"""Hands jobs of one kind to a function, several at a time, until the worker is to end."""

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta

from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job

from reference_service.errors import StoreUnavailable
from reference_service.job_driver import PoolDriver
from reference_service.jobs import NAMES, jobs_through
from reference_service.resources import LogWriter

LONGEST_S = 60.0
AGAIN_AFTER_S = 1.0

Work = Callable[[uuid.UUID], Awaitable[float | None]]
"""Looks at one message; returns None where nothing is left to do, else the seconds after which it is to be looked at again.

Raises StoreUnavailable."""


class JobHands:
    """One kind of jobs. at_once: how many are worked on at the same time; silent_s: a worker silent for longer is dead."""

    def __init__(self, kind: str, work: Work, *, at_once: int, silent_s: float, poll_s: float, write_log: LogWriter) -> None:
        self._kind = kind
        self._work = work
        self._at_once = at_once
        self._room = asyncio.Semaphore(at_once)
        self._silent_s = silent_s
        self._poll_s = poll_s
        self._write_log = write_log

    async def run(self, driver: PoolDriver) -> None:
        """Work until the driver's `shutdown` is set; what is begun is finished."""
        while not driver.shutdown.is_set():
            manager = QueueManager(jobs_through(driver), channel=NAMES.channel)
            manager.shutdown = driver.shutdown
            manager.entrypoint(self._kind, accepts_context=False)(self.one)
            try:
                await manager.run(
                    dequeue_timeout=timedelta(seconds=self._poll_s),
                    batch_size=max(1, self._at_once // 2),
                    max_concurrent_tasks=max(2, self._at_once),
                    heartbeat_timeout=timedelta(seconds=self._silent_s),
                    log_aggregation_interval=timedelta(0),
                )
            except Exception as error:  # noqa: BLE001 - whatever it is, messages wait; they are no reason to end
                self._write_log(
                    {"event": "jobs_stopped", "kind": self._kind, "error": type(error).__name__, "reason": str(error)}
                )
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(driver.shutdown.wait(), AGAIN_AFTER_S)

    async def one(self, job: Job) -> None:
        """Do one job. Raises RetryRequested where it is not at its end; the library ends it only after a return."""
        again_s = await self._again_s(job)
        if again_s is not None:
            raise RetryRequested(timedelta(seconds=max(0.0, again_s)))

    async def _again_s(self, job: Job) -> float | None:
        message_id = uuid.UUID(bytes=job.payload)
        try:
            async with self._room:
                return await self._work(message_id)
        except StoreUnavailable:
            return min(1.0, 0.1 * 2.0 ** min(job.attempts, 10))
        except Exception as error:  # noqa: BLE001 - a fault of ours: said, and tried again; the row says whether a call may be made
            self._write_log(
                {"event": "job_failed", "kind": self._kind, "message_id": str(message_id), "error": type(error).__name__}
            )
            return min(LONGEST_S, 0.5 * 2.0 ** min(job.attempts, 10))
