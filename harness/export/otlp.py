"""Families as one OpenTelemetry export request in OTLP's JSON, as a collector takes it at `/v1/metrics`."""

from collections.abc import Iterable, Mapping
from typing import Any

from harness import __version__
from harness.export.families import Family, Histogram, Labels, Point

_CUMULATIVE = 2
"""AGGREGATION_TEMPORALITY_CUMULATIVE."""


def to_otlp(families: Iterable[Family], resource: Labels, *, start_ns: int, end_ns: int) -> dict[str, Any]:
    """Return the request. resource: attributes of the run. start_ns, end_ns: of the run, of the wall clock."""
    moment = {"startTimeUnixNano": str(start_ns), "timeUnixNano": str(end_ns)}
    return {
        "resourceMetrics": [
            {
                "resource": {"attributes": _attributes(resource)},
                "scopeMetrics": [
                    {
                        "scope": {"name": "harness", "version": __version__},
                        "metrics": [_metric(family, moment) for family in families],
                    }
                ],
            }
        ]
    }


def _metric(family: Family, moment: Mapping[str, str]) -> dict[str, Any]:
    points = [_point(point, moment) for point in family.points]
    bodies: dict[str, dict[str, Any]] = {
        "histogram": {"aggregationTemporality": _CUMULATIVE, "dataPoints": points},
        "sum": {"aggregationTemporality": _CUMULATIVE, "isMonotonic": True, "dataPoints": points},
        "gauge": {"dataPoints": points},
    }
    return {"name": family.name, "unit": family.unit, "description": family.help, family.kind: bodies[family.kind]}


def _point(point: Point, moment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"attributes": _attributes(point.labels), **moment}
    if not isinstance(point.value, Histogram):
        return found | {"asDouble": point.value}
    value = point.value
    return found | {
        "count": str(value.count),
        "sum": value.total,
        "explicitBounds": list(value.bounds),
        "bucketCounts": [str(count) for count in value.counts],
    }


def _attributes(labels: Labels) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in labels.items()]
