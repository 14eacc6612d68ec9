"""How a request ended: closed lists, one value each per request.

Source: `docs/explanation/outcomes.md`. The values are what `samples/` stores.
"""

import enum


class Result(enum.StrEnum):
    """What became of an intended request."""

    ANSWERED = "answered"
    REFUSED = "refused"  # a guard said no
    SHED = "shed"  # the service said "too busy"
    ERROR = "error"  # an error status, or the connection broke
    TIMEOUT = "timeout"  # nothing, or not all, within the request's own time limit
    MALFORMED = "malformed"  # bad JSON, error inside a 200, no terminator, wrong content type
    CANCELLED = "cancelled"  # by the harness: in flight when the drain ended
    UNSENT = "unsent"  # intended, but the generator could not send it


class Source(enum.StrEnum):
    """Where an answer came from."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    CACHE = "cache"
    STALE_CACHE = "stale_cache"
    CANNED = "canned"
    RULE = "rule"  # no model needed: a greeting, a hand-off to a person


class Refusal(enum.StrEnum):
    """Which guard refused."""

    BUDGET = "budget"
    RATE = "rate"
    GUARD = "guard"
    AUTH = "auth"
    UNAVAILABLE = "unavailable"


BAD_RESULTS = frozenset({Result.ERROR, Result.TIMEOUT, Result.MALFORMED, Result.SHED, Result.UNSENT})
"""Results that count against a service; a refusal does too unless it was expected. `CANCELLED` is not judged."""

FALLBACK_SOURCES = frozenset({Source.SECONDARY, Source.STALE_CACHE, Source.CANNED})
"""Answers that the service gave because the primary model could not."""

DEGRADED_SOURCES = frozenset({Source.STALE_CACHE, Source.CANNED})
"""Answers that no model gave, and that say so: better than an error, and no substitute for an answer."""

FALLBACK_EXEMPT_SOURCES = frozenset({Source.CACHE, Source.RULE})
"""Answers that needed no model: in neither the numerator nor the denominator of the fallback share."""
