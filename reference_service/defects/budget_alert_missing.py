"""Planted defect: users are refused for want of budget, and nobody is told."""

from dataclasses import replace

from reference_service.alerts import BudgetAlerts
from reference_service.parts import Parts


class MuteAlerts(BudgetAlerts):
    """Forgets what it was told."""

    def refused(self, scope: str, *, spent_nanousd: int, cap_nanousd: int) -> None:
        """Take no note."""


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, alerts=MuteAlerts)
