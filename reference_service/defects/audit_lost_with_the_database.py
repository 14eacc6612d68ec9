"""Planted defect: what is refused while the database is slow never reaches the audit log."""

from dataclasses import replace
from typing import Any

from reference_service.audit import Audit, Entry
from reference_service.errors import StoreUnavailable
from reference_service.parts import Parts


class HastyAudit(Audit):
    """Gives an entry one chance."""

    async def keep(self, batch: list[Entry]) -> list[Any]:
        """Write once; what fails is gone."""
        try:
            return await super().keep(batch)
        except StoreUnavailable:
            return []


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, audit_log=HastyAudit)
