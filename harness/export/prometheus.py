"""Families in Prometheus' text format, version 0.0.4: for a Pushgateway or node_exporter's textfile collector."""

import math
from collections.abc import Iterable, Iterator

from harness.export.families import Family, Histogram, Labels

_SUFFIXES = {"s": "_seconds", "USD": "_usd", "{token}": "", "{request}": "", "1": ""}


def to_prometheus(families: Iterable[Family], common: Labels) -> str:
    """Return the text. common: labels of every series."""
    return "".join(f"{line}\n" for family in families for line in _lines(family, common))


def metric_name(family: Family) -> str:
    """Return a family's name as Prometheus spells it: `gen_ai_client_operation_duration_seconds`."""
    return family.name.replace(".", "_") + _SUFFIXES[family.unit] + ("_total" if family.kind == "sum" else "")


def _lines(family: Family, common: Labels) -> Iterator[str]:
    name = metric_name(family)
    yield f"# HELP {name} {_escaped(family.help, quotes=False)}"
    yield f"# TYPE {name} {'counter' if family.kind == 'sum' else family.kind}"
    for point in family.points:
        labels = {**common, **point.labels}
        if not isinstance(point.value, Histogram):
            yield f"{name}{_labels(labels)} {_number(point.value)}"
            continue
        below = 0
        for bound, count in zip((*point.value.bounds, math.inf), point.value.counts, strict=True):
            below += count
            yield f"{name}_bucket{_labels({**labels, 'le': _number(bound)})} {below}"
        yield f"{name}_sum{_labels(labels)} {_number(point.value.total)}"
        yield f"{name}_count{_labels(labels)} {point.value.count}"


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{key.replace(".", "_")}="{_escaped(value)}"' for key, value in labels.items()) + "}"


def _escaped(text: str, *, quotes: bool = True) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
    return escaped.replace('"', '\\"') if quotes else escaped


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value) if value != int(value) else str(int(value))
