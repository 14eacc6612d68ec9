"""Planted defect: each request opens a connection of its own, until PostgreSQL has none left."""

from dataclasses import replace

from reference_service.breaker import Breaker
from reference_service.database import Database
from reference_service.parts import Parts
from reference_service.settings import Settings


class GreedyDatabase(Database):
    """Has no measure."""

    def __init__(self, settings: Settings, breaker: Breaker) -> None:
        super().__init__(settings.model_copy(update={"database_pool_max": 80}), breaker)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, database=GreedyDatabase)
