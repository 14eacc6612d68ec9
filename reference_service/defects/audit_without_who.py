"""Planted defect: the audit log says what was refused, and to nobody."""

from dataclasses import replace

from reference_service.guards.audit import AuditGuard
from reference_service.parts import Parts
from reference_service.turn import Turn


class FacelessAuditGuard(AuditGuard):
    """Notes what happened without whom."""

    async def __call__(self, turn: Turn) -> None:
        """Forget who asked."""
        identity, turn.identity = turn.identity, None
        try:
            await super().__call__(turn)
        finally:
            turn.identity = identity


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, audit=FacelessAuditGuard)
