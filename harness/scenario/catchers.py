"""Which scenario must catch which planted defect, by which of its results.

A defect is caught when one of the named results fails; a scenario that fails for another reason has not caught it. The
overrides shorten what a defect does not need. Each scenario with its overrides is also run against the healthy service:
what fails there is a false alarm.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import ConfigurationError, did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Catcher:
    """A defect, the scenario that must catch it, and the ids of the results of which one must fail."""

    defect: str
    scenario: str
    results: tuple[str, ...]
    overrides: tuple[str, ...] = ()

    @property
    def control(self) -> tuple[str, tuple[str, ...]]:
        """What must pass against the healthy service."""
        return self.scenario, self.overrides


def _short(**seconds: int) -> tuple[str, ...]:
    return tuple(f"phases.{phase}.for={length}s" for phase, length in seconds.items())


_LIMITS = "limits"
_OUTAGE = _short(warmup=3, steady=8, outage=10, recovery=14)
_CUTS = _short(warmup=3, steady=8, cuts=15, recovery=10)
_ENDLESS = _short(warmup=3, steady=6, endless=10, silent=10, recovery=10)
_ATTACKS = _short(warmup=3, steady=32)
_STEADY = _short(warmup=3, steady=25)

CATCHERS: tuple[Catcher, ...] = (
    Catcher(defect="budget-check-then-increment", scenario=_LIMITS, results=("budget-cap",)),
    Catcher(defect="budget-per-process", scenario=_LIMITS, results=("budget-cap",)),
    Catcher(defect="rate-limit-per-process", scenario=_LIMITS, results=("rate-limit",)),
    Catcher(defect="fallback-missing", scenario="provider-outage", results=("degraded-share",), overrides=_OUTAGE),
    Catcher(
        defect="provider-without-timeout",
        scenario="provider-outage",
        results=("latency-p95", "error-rate", "fallback-share"),
        overrides=_OUTAGE,
    ),
    Catcher(defect="breaker-never-closes", scenario="provider-outage", results=("recovered",), overrides=_OUTAGE),
    Catcher(
        defect="fallback-never-leaves",
        scenario="provider-outage",
        results=("recovered", "fallback-share-steady"),
        overrides=_OUTAGE,
    ),
    Catcher(defect="retry-storm", scenario="flaky-provider", results=("retry-amplification",)),
    Catcher(defect="stream-cut-ends-cleanly", scenario="cut-streams", results=("stream-integrity",), overrides=_CUTS),
    Catcher(defect="stream-without-end-accepted", scenario="endless-streams", results=("stream-integrity",), overrides=_ENDLESS),
    Catcher(
        defect="screen-plain-patterns-only",
        scenario="injection-under-load",
        results=("disguised-attacks-refused",),
        overrides=_ATTACKS,
    ),
    Catcher(
        defect="screen-skipped-on-streams",
        scenario="injection-under-load",
        results=("streamed-attacks-refused", "plain-attacks-refused"),
        overrides=_ATTACKS,
    ),
    Catcher(defect="done-missing", scenario="steady-load", results=("error-rate", "breakage"), overrides=_STEADY),
)
"""The matrix, in the order in which it is run."""

IN_CI = (
    "budget-check-then-increment",
    "rate-limit-per-process",
    "fallback-missing",
    "breaker-never-closes",
    "retry-storm",
    "stream-cut-ends-cleanly",
    "stream-without-end-accepted",
    "screen-plain-patterns-only",
)
"""Eight of them: one for each way of looking."""


def chosen(names: Sequence[str], *, everything: bool) -> tuple[Catcher, ...]:
    """Return the catchers of the named defects; all of them, or those of continuous integration. Raises ConfigurationError."""
    known = {catcher.defect: catcher for catcher in CATCHERS}
    for name in names:
        if name not in known:
            raise ConfigurationError(
                f"no scenario is known to catch {name!r}{did_you_mean(name, known)}",
                advice=f"there is {', '.join(sorted(known))}",
            )
    wanted = names or (tuple(known) if everything else IN_CI)
    return tuple(catcher for catcher in CATCHERS if catcher.defect in wanted)


def shard_of(catchers: Sequence[Catcher], text: str) -> tuple[Catcher, ...]:
    """Return every n-th catcher from the i-th on, for `i/n`. Raises ConfigurationError."""
    index, slash, of = text.partition("/")
    if not (slash and index.isdigit() and of.isdigit() and 1 <= int(index) <= int(of)):
        raise ConfigurationError(f"--shard {text!r}: write I/N with 1 <= I <= N, e.g. 1/4")
    return tuple(catchers[int(index) - 1 :: int(of)])
