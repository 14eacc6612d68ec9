"""Planted defect: a message that takes long is taken by a second worker too, and its call paid twice."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

from reference_service.database import Connection, Database
from reference_service.jobs import ANSWER, jobs_on
from reference_service.parts import Parts
from reference_service.queue import Queue

PATIENCE_S = 0.3


class ImpatientQueue(Queue):
    """Takes a worker that has not finished after a third of a second for dead, whether its heart beats or not."""

    def __init__(self, database: Database, *, lease_s: float, deliver: bool, delivery_s: float) -> None:
        super().__init__(database, lease_s=min(lease_s, PATIENCE_S), deliver=deliver, delivery_s=delivery_s)

    async def claim(self, message_id: uuid.UUID, holder: uuid.UUID) -> Any | None:
        """Take the message, and have it handed out again soon."""
        row = await super().claim(message_id, holder)
        if row is not None:
            await self._database.transaction(lambda connection: hand_out_again(connection, message_id))
        return row

    async def mark_calling(self, message_id: uuid.UUID, holder: uuid.UUID) -> bool:
        """Call without a word."""
        return True


async def hand_out_again(connection: Connection, message_id: uuid.UUID) -> None:
    """Put a second job for a message that has one."""
    await jobs_on(connection).enqueue(ANSWER, message_id.bytes, execute_after=timedelta(seconds=PATIENCE_S))


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, queue=ImpatientQueue)
