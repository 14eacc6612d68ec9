"""Planted defect: a message that a killed worker had taken is never taken up again."""

from dataclasses import replace

from reference_service.database import Database
from reference_service.parts import Parts
from reference_service.queue import Queue


class PossessiveQueue(Queue):
    """Holds what it took for a year."""

    def __init__(self, database: Database, *, lease_s: float, deliver: bool, delivery_s: float) -> None:
        super().__init__(database, lease_s=lease_s + 365 * 86400, deliver=deliver, delivery_s=delivery_s)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, queue=PossessiveQueue)
