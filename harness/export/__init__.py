"""A run's figures for other people's tools: Prometheus and OpenTelemetry; its objectives as OpenSLO, in and out."""

from harness.export.families import Family, Histogram, Point, families_of
from harness.export.openslo import objectives_from_openslo, openslo_of, read_openslo
from harness.export.otlp import to_otlp
from harness.export.prometheus import to_prometheus

__all__ = [
    "Family",
    "Histogram",
    "Point",
    "families_of",
    "objectives_from_openslo",
    "openslo_of",
    "read_openslo",
    "to_otlp",
    "to_prometheus",
]
