"""Planted defect: a statement that hangs is waited for without end."""

from dataclasses import replace

from reference_service.breaker import Breaker
from reference_service.database import Database
from reference_service.parts import Parts
from reference_service.settings import Settings


class PatientDatabase(Database):
    """Waits an hour for a statement."""

    def __init__(self, settings: Settings, breaker: Breaker) -> None:
        super().__init__(settings.model_copy(update={"database_timeout_s": 3600.0}), breaker)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, database=PatientDatabase)
