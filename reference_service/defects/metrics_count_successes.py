"""Planted defect: failed requests are not counted, so that the error rate is always nought."""

from dataclasses import replace

from reference_service.metrics import Metrics
from reference_service.parts import Parts


class RosyMetrics(Metrics):
    """Counts good news."""

    def http(self, method: str, route: str, status: int, seconds: float) -> None:
        """Leave errors out."""
        if status < 400:
            super().http(method, route, status, seconds)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, metrics=RosyMetrics)
