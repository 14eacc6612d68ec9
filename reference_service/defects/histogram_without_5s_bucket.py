"""Planted defect: the latency histogram has no edge at 5, 10 and 30 s, so that the alert cannot tell 6 s from 4 s."""

from dataclasses import replace

from reference_service.metrics import Metrics
from reference_service.parts import Parts


class CoarseMetrics(Metrics):
    """Has the edges of some other service."""

    buckets_s = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, metrics=CoarseMetrics)
