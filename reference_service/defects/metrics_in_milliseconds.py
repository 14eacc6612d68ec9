"""Planted defect: durations are recorded in milliseconds under a name that says seconds."""

from dataclasses import replace

from reference_service.metrics import Metrics
from reference_service.parts import Parts


class MilliMetrics(Metrics):
    """Forgot the unit."""

    def http(self, method: str, route: str, status: int, seconds: float) -> None:
        """Observe milliseconds."""
        super().http(method, route, status, seconds * 1000)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, metrics=MilliMetrics)
