"""Planted defect: who finds the pool empty waits without end."""

from dataclasses import replace

from reference_service.breaker import Breaker
from reference_service.database import Database
from reference_service.parts import Parts
from reference_service.settings import Settings


class QueueingDatabase(Database):
    """Lets everybody stand in line."""

    def __init__(self, settings: Settings, breaker: Breaker) -> None:
        super().__init__(settings.model_copy(update={"database_connect_timeout_s": 3600.0}), breaker)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, database=QueueingDatabase)
