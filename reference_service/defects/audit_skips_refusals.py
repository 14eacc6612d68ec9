"""Planted defect: the audit log knows what was done, and not what was refused."""

from dataclasses import replace

from reference_service.guards.audit import AuditGuard
from reference_service.parts import Parts
from reference_service.turn import Turn


class RosyAuditGuard(AuditGuard):
    """Notes successes."""

    def is_relevant(self, turn: Turn) -> bool:
        """Leave refusals out."""
        return turn.error is None and super().is_relevant(turn)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, audit=RosyAuditGuard)
