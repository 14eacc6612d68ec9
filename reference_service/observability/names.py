"""The names that operators hold on to, as the production-readiness document lists them; tests walk these lists."""

KEY_METRICS = (
    "uptime_percentage",
    "error_rate",
    "response_latency_p50",
    "response_latency_p95",
    "response_latency_p99",
    "llm_api_latency",
    "vector_search_latency",
    "queries_per_day",
    "unique_users_per_day",
    "user_satisfaction_score",
    "llm_tokens_used_daily",
    "estimated_cost_daily",
    "cost_per_query",
    "intent_detection_accuracy",
    "rag_retrieval_relevance",
    "escalation_rate",
)
"""Each is a recording rule of `rules/recording.yml`, over all instances."""

METRICS = {
    "http_request_duration_seconds": {"method", "route", "status_code"},
    "llm_tokens": {"model", "intent"},
    "llm_cost_usd": {"model", "intent"},
    "llm_api_latency_seconds": {"endpoint", "outcome"},
    "vector_search_latency_seconds": set[str](),
    "gateway_retrieval_score": set[str](),
    "gateway_answers": {"source", "degraded", "fallback"},
    "gateway_cache": {"result"},
    "llm_cost_saved_usd": set[str](),
    "gateway_refusals": {"type"},
    "gateway_intents": {"intent"},
    "gateway_circuit_state": {"endpoint"},
    "gateway_unsettled": set[str](),
    "gateway_requests_in_flight": set[str](),
    "gateway_day_cost_usd": set[str](),
    "gateway_day_budget_usd": set[str](),
    "gateway_day_tokens": set[str](),
    "gateway_day_users": set[str](),
    "gateway_day_satisfied_ratio": set[str](),
    "gateway_month_cost_usd": set[str](),
    "gateway_intent_accuracy_ratio": set[str](),
}
"""What one instance exposes, and the labels of each; counters without their `_total`."""

LOG_FIELDS = {
    "timestamp": "at",
    "user_id": "user",
    "user query (sanitized)": "query",
    "intent": "intent",
    "model": "model",
    "tokens": "tokens",
    "latency_ms": "latency_ms",
    "retrieval similarity scores": "retrieval_scores",
    "errors": "error",
    "request id": "request_id",
}
"""What the document wants logged, and the field of the request's line that says it."""

DASHBOARDS = {
    "system-health": (
        "Uptime (last 30 days)",
        "Error rate",
        "Average response time",
        "Response time (p50, p95, p99)",
        "Error rate over time",
        "Requests per minute",
    ),
    "cost-and-usage": (
        "Today's cost",
        "Month-to-date cost",
        "Tokens used today",
        "Cost by model",
        "Daily token usage",
        "Queries by intent",
    ),
    "quality": (
        "User satisfaction",
        "Escalation rate",
        "RAG relevance",
        "Satisfaction trend",
        "Intent detection accuracy",
    ),
}
"""Every panel that the document draws, by dashboard."""
