"""Planted defect: a message that takes long is taken by a second worker too, and its call paid twice."""

import uuid
from dataclasses import replace

from reference_service.database import Database
from reference_service.parts import Parts
from reference_service.queue import Queue


class ImpatientQueue(Queue):
    """Takes a worker that is silent for a third of a second for dead."""

    def __init__(self, database: Database, *, lease_s: float, deliver: bool, delivery_s: float) -> None:
        super().__init__(database, lease_s=min(lease_s, 0.3), deliver=deliver, delivery_s=delivery_s)

    async def mark_calling(self, message_id: uuid.UUID, holder: uuid.UUID) -> bool:
        """Call without a word."""
        return True


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, queue=ImpatientQueue)
