"""`python -m reference_service.observability.dashboards DIR`: writes the three Grafana dashboards.

The JSON in `dashboards/` is what this program writes; a test compares them. Needs the package grafana-foundation-sdk.
"""

import sys
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard, piechart, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef

SOURCE = DataSourceRef(type_val="prometheus", uid="prometheus")
# title, kind, unit, then (query, legend) a line
Panel = tuple[str, str, str, tuple[tuple[str, str], ...]]
BY_INTENT = "sum by (intent) (increase(gateway_intents_total[1d]))"

PANELS: dict[str, tuple[str, tuple[Panel, ...]]] = {
    "system-health": (
        "System health",
        (
            ("Uptime (last 30 days)", "stat", "percent", (("uptime_percentage", ""),)),
            ("Error rate", "stat", "percentunit", (("error_rate", ""),)),
            ("Average response time", "stat", "s", (("gateway:response_time:mean5m", ""),)),
            (
                "Response time (p50, p95, p99)",
                "graph",
                "s",
                (("response_latency_p50", "p50"), ("response_latency_p95", "p95"), ("response_latency_p99", "p99")),
            ),
            ("Error rate over time", "graph", "percentunit", (("error_rate", "errors"),)),
            ("Requests per minute", "graph", "reqpm", (("60 * gateway:requests:rate5m", "requests"),)),
            (
                "Model and vector search latency (p95)",
                "graph",
                "s",
                (("llm_api_latency", "model"), ("vector_search_latency", "vector search")),
            ),
            ("Circuits (0 closed, 2 open)", "graph", "short", (("max by (endpoint) (gateway_circuit_state)", "{{endpoint}}"),)),
        ),
    ),
    "cost-and-usage": (
        "Cost and usage",
        (
            ("Today's cost", "stat", "currencyUSD", (("estimated_cost_daily", ""),)),
            ("Month-to-date cost", "stat", "currencyUSD", (("max(gateway_month_cost_usd)", ""),)),
            ("Tokens used today", "stat", "short", (("llm_tokens_used_daily", ""),)),
            ("Cost per query", "stat", "currencyUSD", (("cost_per_query", ""),)),
            ("Cost by model", "graph", "currencyUSD", (("sum by (model) (increase(llm_cost_usd_total[1h]))", "{{model}}"),)),
            ("Daily token usage", "graph", "short", (("sum by (model) (increase(llm_tokens_total[1d]))", "{{model}}"),)),
            ("Queries by intent", "pie", "short", ((BY_INTENT, "{{intent}}"),)),
            ("Cache hit rate", "graph", "percentunit", (("gateway:cache_hit_ratio", "hits"),)),
            ("Saved by the cache a day", "graph", "currencyUSD", (("gateway:cost_saved_usd:1d", "saved"),)),
            ("Queries and users a day", "graph", "short", (("queries_per_day", "queries"), ("unique_users_per_day", "users"))),
        ),
    ),
    "quality": (
        "Quality",
        (
            ("User satisfaction", "stat", "percentunit", (("user_satisfaction_score", ""),)),
            ("Escalation rate", "stat", "percentunit", (("escalation_rate", ""),)),
            ("RAG relevance", "stat", "short", (("rag_retrieval_relevance", ""),)),
            ("Satisfaction trend", "graph", "percentunit", (("user_satisfaction_score", "satisfied"),)),
            ("Intent detection accuracy", "graph", "percentunit", (("intent_detection_accuracy", "accuracy"),)),
        ),
    ),
}


def build(name: str) -> str:
    """Return one dashboard's JSON."""
    title, panels = PANELS[name]
    built = dashboard.Dashboard(title).uid(name).tags(["gateway"]).refresh("30s").time("now-6h", "now")
    for panel in panels:
        built = built.with_panel(_panel(panel))
    return str(JSONEncoder(sort_keys=True, indent=2).encode(built.build())) + "\n"


def _panel(panel: Panel) -> "stat.Panel | timeseries.Panel | piechart.Panel":
    title, kind, unit, queries = panel
    kinds: dict[str, type[stat.Panel | timeseries.Panel | piechart.Panel]] = {
        "stat": stat.Panel,
        "graph": timeseries.Panel,
        "pie": piechart.Panel,
    }
    made = kinds[kind]()
    made.title(title).unit(unit).datasource(SOURCE).height(5 if kind == "stat" else 9).span(6 if kind == "stat" else 12)
    for number, (query, legend) in enumerate(queries):
        made.with_target(prometheus.Dataquery().expr(query).legend_format(legend).ref_id(chr(ord("A") + number)))
    return made


def main() -> int:
    """Write every dashboard into the directory that the command line names."""
    folder = Path(sys.argv[1])
    for name in PANELS:
        (folder / f"{name}.json").write_text(build(name), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
