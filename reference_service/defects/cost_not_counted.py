"""Planted defect: what answers cost appears in no metric, so that cost panels and the cost alert see nothing."""

from dataclasses import replace

from reference_service.metrics import Metrics
from reference_service.parts import Parts


class FreeMetrics(Metrics):
    """Counts answers as if they were free."""

    def dollars(self, charged_nanousd: int) -> float:
        """Return nothing."""
        return 0.0


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, metrics=FreeMetrics)
