"""What has no job gets one: a message of a version that writes none, of a backup, or whose job the library dropped.

Jobs are only the way in which work is handed over; that nothing is lost rests on the messages and the outbox alone.
"""

import asyncio
import contextlib
import itertools
import uuid
from collections.abc import Callable

from reference_service.database import Database
from reference_service.errors import StoreUnavailable
from reference_service.jobs import ANSWER, DELIVER, NAMES, jobs_on, put

SWEEP_EVERY_S = 1.0
FORGET_EVERY = 10
LOOK_AT = 1000
"""The oldest are looked at: once they are done, the next are."""
KEEP_LOG = "1 day"
FORGET_AT_ONCE = 5000

_WITHOUT_JOB = """
select w.id from ({waiting} limit {look_at}) w
where not exists (select from {queue} j where j.dedupe_key = '{prefix}' || w.id and j.status in ('queued', 'picked'))
"""
_MESSAGES = "select id from message where state = 'queued' order by created_at"
_DELIVERIES = "select message_id as id from outbox where delivered_at is null order by next_at"
_FORGET = f"""
delete from {NAMES.queue_table_log} where id in (
    select id from {NAMES.queue_table_log} where created < now() - interval '{KEEP_LOG}' order by created limit {FORGET_AT_ONCE})
"""  # noqa: S608 - names of the library


def _without_job(kind: str, waiting: str) -> str:
    return _WITHOUT_JOB.format(waiting=waiting, look_at=LOOK_AT, queue=NAMES.queue_table, prefix=f"{kind}:")


class JobSweep:
    """The sweep. deliver: whether answers are delivered."""

    def __init__(self, database: Database, *, deliver: bool) -> None:
        self._database = database
        self._kinds = {ANSWER: _MESSAGES, **({DELIVER: _DELIVERIES} if deliver else {})}

    async def run(self, stopping: asyncio.Event, away: Callable[[], None]) -> None:
        """Sweep until `stopping` is set; away: called each time the database has not answered."""
        for turn in itertools.count():
            try:
                await self.once()
                if turn % FORGET_EVERY == 0:
                    await self.forget()
            except StoreUnavailable:
                away()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), SWEEP_EVERY_S)
                return

    async def once(self) -> int:
        """Put a job for whatever has none; return for how many. Raises StoreUnavailable."""
        put_in = 0
        for kind, waiting in self._kinds.items():
            found = [row["id"] for row in await self._database.rows(_without_job(kind, waiting))]
            if found:
                await self._put(kind, found)
            put_in += len(found)
        return put_in

    async def _put(self, kind: str, message_ids: list[uuid.UUID]) -> None:
        await self._database.transaction(lambda connection: put(jobs_on(connection), kind, message_ids))

    async def forget(self) -> None:
        """Drop what the library noted more than a day ago, which it never does by itself. Raises StoreUnavailable."""
        await self._database.rows(_FORGET)
