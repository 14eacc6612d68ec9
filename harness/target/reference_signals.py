"""How the reference service's answers are read: its headers and error codes, as signals.

Source: `docs/explanation/outcomes.md`; the headers are the reference service's public ones.
"""

from harness.model.outcome import Refusal, Source
from harness.model.signals import Comparison, Predicate, RefusalRule, Signals, Where


def _header(name: str, value: str) -> Predicate:
    return Predicate(where=Where.HEADER, key=name, comparison=Comparison.EQUALS, value=value)


def _code(value: str) -> Predicate:
    return Predicate(where=Where.JSON, key="$.error.code", comparison=Comparison.EQUALS, value=value)


REFERENCE_SIGNALS = Signals(
    # The order matters: a degraded answer also names a provider, and a cached one the provider that once gave it.
    sources=(
        (Source.STALE_CACHE, _header("x-gateway-degraded", "stale_cache")),
        (Source.CANNED, _header("x-gateway-degraded", "canned")),
        (Source.CACHE, Predicate(where=Where.HEADER, key="x-gateway-cache", comparison=Comparison.MATCHES, value="^hit")),
        (Source.RULE, _header("x-gateway-provider", "rule")),
        (Source.SECONDARY, _header("x-gateway-provider", "secondary")),
    ),
    refusals=(
        (Refusal.BUDGET, RefusalRule(status=(402,))),
        (Refusal.RATE, RefusalRule(status=(429,), predicate=_code("rate_limit_exceeded"))),
        (Refusal.GUARD, RefusalRule(status=(400,), predicate=_code("content_blocked"))),
        (Refusal.AUTH, RefusalRule(status=(401, 403))),
        (Refusal.UNAVAILABLE, RefusalRule(status=(503,), predicate=_code("guard_unavailable"))),
    ),
    # After the refusals: `guard_unavailable` carries a Retry-After too, and is no sign of load.
    shed=(RefusalRule(status=(503,), predicate=Predicate(where=Where.HEADER, key="retry-after")),),
    fallback=_header("x-gateway-fallback", "1"),
    degraded=Predicate(where=Where.HEADER, key="x-gateway-degraded", comparison=Comparison.MATCHES, value="^(?!0$)."),
    cache=Predicate(where=Where.HEADER, key="x-gateway-cache"),
    cost=Predicate(where=Where.HEADER, key="x-gateway-cost-usd"),
)
"""What the embedded stack, the containers and the compose file all answer with."""
