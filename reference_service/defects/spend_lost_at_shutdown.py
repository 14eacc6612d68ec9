"""Planted defect: settlements are gathered in memory, and what is gathered at a shutdown is lost."""

from dataclasses import replace

from reference_service.database import Database
from reference_service.ledger import Ledger, Settlement
from reference_service.parts import Parts
from reference_service.settings import Settings


class LateLedger(Ledger):
    """Gathers two hundred settlements before it brings any."""

    def __init__(self, database: Database, settings: Settings) -> None:
        super().__init__(database, settings)
        self._gathered: list[Settlement] = []

    def settle(self, settlement: Settlement) -> None:
        """Wait for more of them."""
        self._gathered.append(settlement)
        if len(self._gathered) >= 200:
            for one in self._gathered:
                super().settle(one)
            self._gathered.clear()


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, ledger=LateLedger)
