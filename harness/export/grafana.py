"""A Grafana dashboard over the exported figures of many runs: what each came to, and how the figures went.

A run's figures never change once they are exported, so nothing here is a rate: counters are read as they stand, and a
histogram's quantile is that of the whole run.
"""

from collections.abc import Mapping

_OF = '{scenario="$scenario", run=~"$run"}'

Panel = tuple[str, str, str, int, int, tuple[tuple[str, str], ...]]
"""Title, kind, unit, width and height on Grafana's grid of 24, then (query, legend) a line."""


def _quantile(share: float, metric: str, by: str) -> str:
    return f"histogram_quantile({share}, sum by (le, run, {by}) ({metric}_bucket{_OF}))"


PANELS: tuple[Panel, ...] = (
    ("Verdicts", "stat", "none", 12, 4, ((f"harness_verdict{_OF}", "{{run}}: {{verdict}}"),)),
    ("Was the instrument fit? (1 yes, 0 no)", "stat", "none", 12, 4, ((f"harness_instrument_valid{_OF}", "{{run}}"),)),
    (
        "Results that are not a pass",
        "table",
        "none",
        24,
        7,
        (('harness_result{scenario="$scenario", run=~"$run", status!="pass"}', ""),),
    ),
    (
        "Latency from the intended start, p95: what the objectives judge",
        "timeseries",
        "s",
        12,
        8,
        ((_quantile(0.95, "harness_response_duration_seconds", "phase"), "{{phase}} {{run}}"),),
    ),
    (
        "Latency from the actual start, p95, by model",
        "timeseries",
        "s",
        12,
        8,
        (
            (
                _quantile(0.95, "gen_ai_client_operation_duration_seconds", "gen_ai_request_model"),
                "{{gen_ai_request_model}} {{run}}",
            ),
        ),
    ),
    (
        "First token of streams, p95",
        "timeseries",
        "s",
        12,
        8,
        ((_quantile(0.95, "gen_ai_client_operation_time_to_first_chunk_seconds", "phase"), "{{phase}} {{run}}"),),
    ),
    (
        "Requests by what became of them",
        "timeseries",
        "short",
        12,
        8,
        ((f"sum by (run, result) (harness_requests_total{_OF})", "{{result}} {{run}}"),),
    ),
    (
        "Dollars by the provider's records",
        "timeseries",
        "currencyUSD",
        12,
        8,
        ((f"sum by (run, phase) (harness_cost_usd_total{_OF})", "{{phase}} {{run}}"),),
    ),
    (
        "Tokens",
        "timeseries",
        "short",
        12,
        8,
        ((f"sum by (run, gen_ai_token_type) (gen_ai_client_token_usage_sum{_OF})", "{{gen_ai_token_type}} {{run}}"),),
    ),
)


def dashboard() -> dict[str, object]:
    """Return the dashboard as Grafana imports it; it asks for its Prometheus, its scenario and its runs."""
    return {
        "title": "Harness runs",
        "uid": "harness-runs",
        "tags": ["harness"],
        "schemaVersion": 39,
        "editable": True,
        "time": {"from": "now-30d", "to": "now"},
        "templating": {
            "list": [
                {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
                _variable("scenario", "label_values(harness_verdict, scenario)", several=False),
                _variable("run", 'label_values(harness_verdict{scenario="$scenario"}, run)', several=True),
            ]
        },
        "panels": _laid_out(),
    }


def queries() -> list[str]:
    """Return every query of the dashboard, its variables unresolved."""
    return [query for *_, lines in PANELS for query, _ in lines]


def _variable(name: str, query: str, *, several: bool) -> dict[str, object]:
    return {
        "name": name,
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 2,
        "multi": several,
        "includeAll": several,
        "current": {"text": "All", "value": "$__all"} if several else {},
    }


def _laid_out() -> list[dict[str, object]]:
    panels: list[dict[str, object]] = []
    x = y = tallest = 0
    for number, (title, kind, unit, width, height, lines) in enumerate(PANELS, start=1):
        if x + width > 24:
            x, y, tallest = 0, y + tallest, 0
        panels.append(
            {
                "id": number,
                "title": title,
                "type": kind,
                "datasource": {"type": "prometheus", "uid": "${source}"},
                "gridPos": {"x": x, "y": y, "w": width, "h": height},
                "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
                "options": _options(kind),
                "targets": [
                    {"refId": chr(65 + index), "expr": query, "legendFormat": legend, "instant": kind != "timeseries"}
                    | ({"format": "table"} if kind == "table" else {})
                    for index, (query, legend) in enumerate(lines)
                ],
            }
        )
        x, tallest = x + width, max(tallest, height)
    return panels


def _options(kind: str) -> Mapping[str, object]:
    return {"textMode": "value_and_name", "colorMode": "none"} if kind == "stat" else {}
