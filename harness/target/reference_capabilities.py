"""What checks can use of the reference service, however it is run, beside its load."""

REFERENCE_CAPABILITIES = frozenset(
    {
        "instances",
        "live",
        "ready",
        "metrics",
        "logs",
        "messages",
        "feedback",
        "audit",
        "canaries",
        "principals.admin",
        "principals.distinct",
        "principals.tenants",
    }
)
"""Of every way to run it; each target adds the actions that it can do itself."""

CACHE_SECONDS = "cache.seconds"
"""Of a target whose cached answers become old within seconds, which it must be told."""

HISTORY = "history"
"""Of a target whose code lies here as a checkout with its history."""

LIVE, READY, METRICS = "/live", "/ready", "/metrics"
