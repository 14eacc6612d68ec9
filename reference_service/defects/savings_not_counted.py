"""Planted defect: what the cache saves is counted nowhere, so that nobody knows whether it is worth its risk."""

from dataclasses import replace

from reference_service.metrics import Metrics
from reference_service.parts import Parts
from reference_service.turn import Turn


class ThriftlessMetrics(Metrics):
    """Counts costs alone."""

    def saved_dollars(self, turn: Turn) -> float:
        """Return nothing."""
        return 0.0


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, metrics=ThriftlessMetrics)
