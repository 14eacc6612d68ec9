"""Which scenario must catch which planted defect, by which of its results.

A defect is caught when one of the named results fails; a scenario that fails for another reason has not caught it. The
overrides shorten what a defect does not need. Each scenario with its overrides is also run against the healthy service:
what fails there is a false alarm.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.errors import ConfigurationError, did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Catcher:
    """A defect, the scenario that must catch it, and the ids of the results of which one must fail.

    settings: of the service, as `--service` has them, where the scenario needs a shorter window, say.
    disturbs: what else it is known to fail, which another defect in the same run must not rest on. alone: it breaks so
    much that nothing else can be told in the same run.
    """

    defect: str
    scenario: str
    results: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    disturbs: tuple[str, ...] = ()
    alone: bool = False

    @property
    def control(self) -> tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]]:
        """What must pass against the healthy service."""
        return self.scenario, self.overrides, self.settings


def _short(**seconds: int) -> tuple[str, ...]:
    return tuple(f"phases.{phase}.for={length}s" for phase, length in seconds.items())


_OUTAGE = _short(warmup=3, steady=8, outage=10, recovery=14)
_BROWN_OUT = _short(warmup=3, steady=8, slow=20, recovery=14)
_CUTS = _short(warmup=3, steady=8, cuts=15, recovery=10)
_ENDLESS = _short(warmup=3, steady=6, endless=10, silent=10, recovery=10)
_ATTACKS = _short(warmup=3, steady=32)
_STEADY = _short(warmup=3, steady=25)
_WITHOUT = _short(warmup=3, steady=8, without=10, recovery=14)
_HALF = _short(warmup=3, steady=10, half=12, recovery=14)
_GONE = (*_short(warmup=3, steady=8, gone=10, recovery=18), "checks.0.at=7s")
_WINDOWS = (*_short(warmup=3, steady=14, end=25), "checks.0.window_s=8")
_SHORT_WINDOWS = (("cache_ttl_s", "5"), ("rate_window_s", "8"))
_REGION = _short(warmup=3, steady=8, outage=10, recovery=14)
_QUEUE = (*_WITHOUT, "checks.1.at=5700ms", "checks.1.within=24s")
_SLOW = _short(warmup=3, steady=8, slow=12, recovery=12)
_STORM = _short(warmup=3, steady=8, storm=12, recovery=12)


def _by(
    scenario: str, overrides: tuple[str, ...], caught: Mapping[str, str], settings: tuple[tuple[str, str], ...] = ()
) -> tuple[Catcher, ...]:
    """Return the catchers of one scenario.

    caught: defect to the results of which one must fail, parted by blanks; after a `!` what it disturbs, or `alone`.
    """
    found = []
    for defect, text in caught.items():
        results, _, rest = text.partition("!")
        found.append(
            Catcher(
                defect=defect,
                scenario=scenario,
                results=tuple(results.split()),
                overrides=overrides,
                settings=settings,
                disturbs=tuple(name for name in rest.split() if name != "alone"),
                alone="alone" in rest.split(),
            )
        )
    return tuple(found)


CATCHERS: tuple[Catcher, ...] = (
    *_by(
        "guards",
        (),
        {
            "auth-everybody-is-admin": "authentication ! audit-log",
            "auth-key-by-prefix": "authentication ! key-rotation",
            "auth-revoked-keys-accepted": "authentication ! key-rotation",
            "auth-expired-keys-accepted": "key-rotation",
            "auth-rotation-without-overlap": "key-rotation",
            "message-read-by-anybody": "authentication",
            "audit-skips-refusals": "audit-log",
            "audit-without-who": "audit-log",
            "cache-key-without-tenant": "cache",
            "cache-key-without-model": "cache",
            "cache-stale-on-one-instance": "cache",
            "cache-flush-wipes-counters": "cache ! rate-refusals",
            "cache-hits-look-like-misses": "cache ! savings-counted",
            "reservation-leaked-on-disconnect": "reservation-leak",
            "cut-streams-not-charged": "reservation-leak",
            "cancelled-call-read-on": "reservation-leak",
            "routing-always-large": "model-choice",
            "intent-always-knowledge": "model-choice",
            "max-tokens-of-the-conversation": "model-choice",
            "max-tokens-not-sent": "model-choice",
            "cheap-model-never-used": "model-choice",
            "retrieval-any-passage": "retrieval",
            "retrieval-of-every-tenant": "retrieval",
            "flag-not-deterministic": "feature-flags",
            "flag-kill-switch-ignored": "feature-flags",
            "savings-not-counted": "savings-counted",
            "key-in-log": "personal-data",
            "message-key-ignored": "messages-once",
            "message-paid-twice": "messages-once",
            "rate-limit-without-retry-after": "rate-refusals",
            "screen-last-message-only": "input-validation",
            "screen-refuses-look-alikes": "input-validation",
            "validate-answers-with-trace": "input-validation",
            "validate-max-tokens-unchecked": "input-validation",
            "validate-no-length-limit": "input-validation",
        },
    ),
    *_by("guards", (), {"message-delivered-twice": "messages-once"}, settings=(("webhook_url", "here"),)),
    *_by(
        "limits",
        (),
        {
            "budget-check-then-increment": "budget-cap ! budget-alert",
            "budget-per-process": "budget-cap",
            "budget-shrinks-reservation": "budget-cap",
            "rate-limit-per-process": "rate-limit",
            "budget-alert-missing": "budget-alert",
        },
    ),
    *_by(
        "provider-outage",
        _OUTAGE,
        {
            "fallback-missing": "degraded-share",
            "provider-without-timeout": "latency-p95 error-rate fallback-share longest-wait ! alone",
            "breaker-never-closes": "recovered breaker-recovery",
            "breaker-missing": "breaker",
            "fallback-never-leaves": "recovered fallback-share-steady ! alone",
        },
    ),
    *_by("provider-brown-out", _BROWN_OUT, {"breaker-unbounded-probes": "breaker"}),
    *_by("flaky-provider", (), {"retry-storm": "retry-amplification"}),
    *_by("cut-streams", _CUTS, {"stream-cut-ends-cleanly": "stream-integrity", "stream-error-swallowed": "silent-breakage"}),
    *_by(
        "endless-streams",
        _ENDLESS,
        {"stream-without-end-accepted": "stream-integrity ! silent-breakage", "stream-without-idle-timeout": "longest-wait"},
    ),
    *_by(
        "injection-under-load",
        _ATTACKS,
        {
            "screen-plain-patterns-only": "disguised-attacks-refused",
            "screen-skipped-on-streams": "streamed-attacks-refused plain-attacks-refused",
        },
    ),
    *_by(
        "steady-load",
        _STEADY,
        {
            "done-missing": "error-rate breakage ! stream-flow order",
            "stream-buffered": "stream-flow",
            "stream-out-of-order": "order",
            "every-tenth-request-fails": "error-rate ! alone",
            "screen-blocks-the-loop": "latency-p95 ttft-p95 ttft-p50 error-rate ! alone",
        },
    ),
    *_by(
        "region-outage",
        _REGION,
        {"degraded-not-marked": "fallback-share ! polite-answers", "cache-keeps-degraded": "polite-answers"},
    ),
    *_by("valkey-frozen", _WITHOUT, {"store-without-timeout": "longest-wait"}),
    *_by("valkey-down", _WITHOUT, {"rate-limit-fails-open": "fails-closed", "readiness-lies": "health"}),
    *_by(
        "postgres-frozen",
        _WITHOUT,
        {
            "database-without-timeout": "longest-wait ! alone",
            "pool-without-timeout": "longest-wait ! alone",
            "liveness-does-io": "health",
            "auth-fault-is-401": "known-keys",
        },
    ),
    *_by("rolling-restart", (), {"ready-while-draining": "drain", "spend-lost-at-shutdown": "drain"}),
    *_by("canary-bad", (), {"canary-sticks": "canary-release"}),
    *_by("service-killed", _HALF, {"balancer-repeats-posts": "balancer", "balancer-untyped-503": "balancer"}),
    *_by(
        "backup-drill",
        (),
        {
            "backup-restores-nothing": "backup",
            "backup-environment-in-clear": "backup",
            "backup-kept-for-ever": "backup",
            "standby-promoted-beside-its-primary": "standby",
            "message-not-sealed": "backup",
            "escalation-not-recorded": "backup",
            "feedback-not-recorded": "backup",
        },
    ),
    *_by("postgres-down", _QUEUE, {"audit-lost-with-the-database": "audit-kept"}),
    *_by("postgres-slow", _SLOW, {"pool-unbounded": "connection-limit"}),
    *_by("rate-limit-storm", _STORM, {"retry-after-ignored": "retry-after"}),
    *_by(
        "soak",
        _WINDOWS,
        {"rate-limit-window-slides": "rate-window", "cache-never-expires": "cache-expiry"},
        settings=_SHORT_WINDOWS,
    ),
    *_by("valkey-flushed", (), {"budget-in-the-store": "budget-cap"}),
    *_by("worker-killed", _GONE, {"message-lost-at-kill": "messages-held"}),
    *_by(
        "leaking-models",
        (),
        {
            "screen-skipped-on-fallback": "whole-answers-refused streams-cut-short",
            "screen-chunk-by-chunk": "streams-cut-short",
        },
    ),
    *_by(
        "provider-refuses",
        (),
        {
            "fallback-on-400": "not-sent-on",
            "upstream-text-leaked": "answer-rule",
            "stream-error-event-ignored": "stream-integrity",
        },
    ),
    *_by(
        "books",
        (),
        {
            "fallback-not-charged": "false-claims dollars-counted",
            "fallback-not-counted": "false-claims fallbacks-counted",
            "estimate-charged-not-usage": "false-claims dollars-counted",
            "overbilling-not-charged": "false-claims",
            "cost-not-counted": "dollars-counted",
            "tokens-not-metered": "tokens-counted",
            "metrics-count-successes": "requests-counted refusals-counted",
            "metrics-in-milliseconds": "durations-in-seconds",
            "histogram-without-5s-bucket": "buckets-for-alerts",
            "log-skips-refusals": "logged-share",
            "log-without-request-id": "logged-share",
            "request-id-not-passed-on": "joined-share",
            "pii-in-debug-log": "pii-in-logs",
            "pii-in-the-error-path": "pii-in-logs",
        },
    ),
)
"""The matrix, in the order in which it is run."""

IN_CI = (
    "auth-everybody-is-admin",
    "cache-key-without-tenant",
    "key-in-log",
    "rate-limit-without-retry-after",
    "reservation-leaked-on-disconnect",
    "retrieval-of-every-tenant",
    "routing-always-large",
    "screen-last-message-only",
)
"""Eight of them that break different parts, so that one run of `guards` can show them all, beside a healthy one."""


def uncaught_of(planted: Iterable[str], among: Sequence[Catcher] = CATCHERS) -> tuple[str, ...]:
    """Return the planted defects that no scenario is known to catch, in the order given."""
    known = {catcher.defect for catcher in among}
    return tuple(name for name in planted if name not in known)


def chosen(names: Sequence[str], *, everything: bool, among: Sequence[Catcher] = CATCHERS) -> tuple[Catcher, ...]:
    """Return the catchers of the named defects; all of them, or the eight that are run by default. Raises ConfigurationError."""
    known = {catcher.defect: catcher for catcher in among}
    for name in names:
        if name not in known:
            raise ConfigurationError(
                f"no scenario is known to catch {name!r}{did_you_mean(name, known)}",
                advice=f"there is {', '.join(sorted(known))}",
            )
    wanted = names or (tuple(known) if everything else IN_CI)
    return tuple(catcher for catcher in among if catcher.defect in wanted)


def shard_of(catchers: Sequence[Catcher], text: str) -> tuple[Catcher, ...]:
    """Return every n-th catcher from the i-th on, for `i/n`. Raises ConfigurationError."""
    index, slash, of = text.partition("/")
    if not (slash and index.isdigit() and of.isdigit() and 1 <= int(index) <= int(of)):
        raise ConfigurationError(f"--shard {text!r}: write I/N with 1 <= I <= N, e.g. 1/4")
    return tuple(catchers[int(index) - 1 :: int(of)])
