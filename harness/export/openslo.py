"""Objectives as OpenSLO documents (`openslo/v1`), and OpenSLO documents as objectives.

Only a share of good events is an SLO in that sense: latencies, error rate, availability, goodput and the like. What an
objective of ours means is kept in annotations (`harness/measure`, `harness/threshold`); a document without them says
how to count in somebody's own query language, which is no objective of a load test until a person names the measure.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from harness.documents.located import Located, locate
from harness.errors import ConfigurationError, did_you_mean
from harness.model.objective import TIMES, Objective, Quantity
from harness.model.plan import Plan
from harness.model.units import format_duration, parse_duration_ns

VERSION = "openslo/v1"
MEASURE, THRESHOLD = "harness/measure", "harness/threshold"
_COUNTED = frozenset({Quantity.LATENCY, Quantity.ERROR_SHARE, Quantity.AVAILABILITY})
_SHARES = frozenset({Quantity.ERROR_SHARE, Quantity.BREAKAGE, Quantity.AVAILABILITY, Quantity.GOODPUT, Quantity.DEGRADED_SHARE})
_FLOORS = frozenset({Quantity.AVAILABILITY, Quantity.GOODPUT})


def openslo_of(plan: Plan) -> list[dict[str, Any]]:
    """Return a Service and one SLO for each objective of a plan that can be counted from what `harness export` writes.

    Over the last 28 days, as is usual: a plan says nothing of a window.
    """
    service = {"apiVersion": VERSION, "kind": "Service", "metadata": {"name": _dns(plan.target.name)}, "spec": {}}
    return [service, *(_slo(plan, each) for each in plan.objectives if _can_be_counted(each))]


def _can_be_counted(objective: Objective) -> bool:
    """Return whether the exported metrics have the labels and the buckets that the objective needs."""
    selected = objective.principals or objective.models or objective.refusals or objective.streamed is not None
    return objective.quantity in _COUNTED and not selected


def _slo(plan: Plan, objective: Objective) -> dict[str, Any]:
    annotations = {MEASURE: objective.quantity.value, "harness/scenario": plan.scenario.name}
    if objective.threshold_ns is not None:
        annotations[THRESHOLD] = format_duration(objective.threshold_ns)
    return {
        "apiVersion": VERSION,
        "kind": "SLO",
        "metadata": {"name": _dns(f"{plan.scenario.name}-{objective.id}"), "annotations": annotations},
        "spec": {
            "description": objective.written,
            "service": _dns(plan.target.name),
            "indicator": {
                "metadata": {"name": _dns(objective.id)},
                "spec": {"ratioMetric": {"counter": True, **_queries(objective)}},
            },
            "timeWindow": [{"duration": "28d", "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"displayName": objective.written, "target": round(1 - objective.bad_limit, 6)}],
        },
    }


def _queries(objective: Objective) -> dict[str, Any]:
    """Return where good and total are counted, in the metrics that `harness export --format prometheus` writes."""
    where = [
        f'{label}=~"{"|".join(names)}"'
        for label, names in (("phase", objective.during), ("user_class", objective.classes))
        if names
    ]
    if objective.threshold_ns is not None:
        good = ("harness_response_duration_seconds_bucket", f'le="{objective.threshold_ns / 1e9:g}"')
    else:
        good = ("harness_requests_total", 'result="answered"')
    written = {
        "good": f"sum({good[0]}{{{','.join([good[1], *where])}}})",
        "total": f"sum(harness_response_duration_seconds_count{{{','.join(where)}}})",
    }
    return {name: {"metricSource": {"type": "Prometheus", "spec": {"query": query}}} for name, query in written.items()}


def read_openslo(path: Path) -> list[Located]:
    """Return the documents of a file, one or several behind `---`. Raises ConfigurationError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error.strerror if isinstance(error, OSError) else 'not UTF-8 text'}") from error
    starts = [0, *(number + 1 for number, line in enumerate(lines) if line.rstrip() == "---"), len(lines) + 1]
    parts = ["\n" * begin + "".join(lines[begin : end - 1]) for begin, end in pairwise(starts)]  # every line where it stands
    return [locate(part.encode(), str(path)) for part in parts if part.strip()]


def objectives_from_openslo(documents: Sequence[Located]) -> list[dict[str, Any]]:
    """Return the objectives of a scenario in their explicit form, one for each objective of each SLO.

    Raises ConfigurationError with a line for everything that is missing or cannot be meant.
    """
    problems: list[str] = []
    found = [each for document in documents for each in _read(document, problems)]
    if problems:
        raise ConfigurationError(*problems)
    if not found:
        raise ConfigurationError("no document of kind SLO is in it")
    return found


def _read(document: Located, problems: list[str]) -> list[dict[str, Any]]:
    value = document.data
    if not isinstance(value, Mapping):
        problems.append(f"{document.at(())}: not an OpenSLO document: it is no mapping")
        return []
    if value.get("kind") != "SLO":
        return []
    if value.get("apiVersion") != VERSION:
        problems.append(f"{document.at(('apiVersion',))}: apiVersion is {value.get('apiVersion')!r}; allowed: {VERSION}")
        return []
    annotations = _mapping(_mapping(value.get("metadata")).get("annotations"))
    measure = annotations.get(MEASURE)
    shares = sorted(each.value for each in TIMES | _SHARES)
    if measure not in shares:
        problems.append(
            f"{document.at(('metadata',))}: the annotation {MEASURE} is {measure!r}; name what is measured: "
            f"{', '.join(shares)}{did_you_mean(str(measure), shares)}"
        )
        return []
    quantity = Quantity(measure)
    threshold = annotations.get(THRESHOLD)
    if (quantity in TIMES) != (threshold is not None):
        problems.append(
            f"{document.at(('metadata',))}: {THRESHOLD} belongs to a time and only to one ({', '.join(sorted(TIMES))})"
        )
        return []
    if threshold is not None:
        try:
            parse_duration_ns(str(threshold))
        except ValueError as error:
            problems.append(f"{document.at(('metadata', 'annotations', THRESHOLD))}: {error}")
            return []
    targets = _mapping(value.get("spec")).get("objectives")
    if not isinstance(targets, list) or not targets:
        problems.append(f"{document.at(('spec',))}: no objectives")
        return []
    return [
        made
        for number, each in enumerate(targets)
        if (made := _objective(document, number, _mapping(each), quantity, threshold, problems)) is not None
    ]


def _objective(
    document: Located, number: int, given: Mapping[str, Any], quantity: Quantity, threshold: Any, problems: list[str]
) -> dict[str, Any] | None:
    target, percent = given.get("target"), given.get("targetPercent")
    good = target if target is not None else percent / 100 if isinstance(percent, int | float) else None
    if not isinstance(good, int | float) or isinstance(good, bool) or not 0 < good < 1:
        problems.append(
            f"{document.at(('spec', 'objectives', number))}: target is {target!r}, targetPercent {percent!r}; "
            "one of them, a share between 0 and 1 or a percentage between 0 and 100"
        )
        return None
    if quantity in TIMES:
        return {"measure": quantity.value, "threshold": str(threshold), "at_most": _share(1 - good)}
    bound = "at_least" if quantity in _FLOORS else "at_most"
    return {"measure": quantity.value, bound: _share(good if bound == "at_least" else 1 - good)}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _share(ratio: float) -> str:
    return f"{round(ratio * 100, 4):g}%"


def _dns(text: str) -> str:
    """Return a name as OpenSLO wants it: at most 63 characters of a-z, 0-9 and hyphens."""
    kept = "".join(each if each.isascii() and each.isalnum() else "-" for each in text.lower())
    return kept.strip("-")[:63].rstrip("-") or "unnamed"
