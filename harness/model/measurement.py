"""What a run measured: the numbers that judgements are made of and reports are drawn from.

`measurements/summary.json` is a Summary; `measurements/timeline.parquet` has one row a second:

    t_s float64 (start of the second), phase string,
    intended, sent, answered, refused, shed, error, timeout, malformed, cancelled, unsent int64  (by intended second),
    primary, secondary, cache, stale_cache, canned, rule int64,
    response_p50_s, response_p95_s, response_p99_s float64 (intended clock, null without an answer),
    spend_usd float64 (metered, cumulative), lag_p99_ms, loop_lag_p99_ms, cpu_ratio float64

`measurements/requests.parquet` has one row a request, at most 20,000 of them (every bad one, the rest by stride):

    seq int64, phase, user_class, principal, model string, streamed bool, exposed bool,
    intended_s, response_s, service_s, ttft_s, lag_ms float64 (null: did not happen),
    result, source, refusal, error_kind string, expected bool, status_code int16, bad bool,
    provider_s float64 (time inside the provider, from the join), calls int64, request_id string

`measurements/cdf.parquet`: permille int64, response_s, service_s float64, over answered requests of judged phases.

`measurements/heat.parquet`, a row for each cell of time and latency that holds an answer of the ordinary load:
from_s, to_s, took_from_s, took_to_s float64, answers int64.

`measurements/gaps.parquet`, the gaps between one answer's tokens (of each answer its own p95; `longest_s` its longest):
permille int64, seen_s, longest_s (as users saw them), sent_s (as the provider sent them) float64; empty without streams.

`measurements/breakers.parquet`, a row for each span in which an instance told one state of a circuit:
instance, endpoint, state string (closed, half-open, open), from_s, to_s float64; empty where none tells any.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.plan import PhaseKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """A nearest-rank quantile with its order-statistic interval, in seconds; failures count as +infinity (None)."""

    permille: int
    value_s: float | None
    low_s: float | None
    high_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseSummary:
    """One phase in numbers, over the requests that it judges (see `eligible`).

    intended: rows whose intended start lies in the phase. straddling: those left out because they touched a fault
    that is not theirs (or, in a fault phase, touched none). eligible = intended - straddling - cancelled.
    response: on the intended clock; service: from the actual start; ttft: intended clock, streamed answers.
    """

    name: str
    kind: PhaseKind
    start_s: float
    end_s: float
    intended: int
    straddling: int
    eligible: int
    bad: int
    results: Mapping[str, int]
    sources: Mapping[str, int]
    refusals: Mapping[str, int]
    response: tuple[Quantile, ...]
    service: tuple[Quantile, ...]
    ttft: tuple[Quantile, ...]
    fallback: int
    fallback_of: int
    goodput_rps: float
    spend_usd: float
    calls: int
    recovering: int = 0
    cancelled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What followed a fault, in seconds from the moment named; None means not within the window.

    recovered_s: proved clear to the first of 3 good windows. window_s: how long it was looked for.
    to_detect_s: confirmed to the end of the first request that was bad or answered by a fallback: the first that
    anybody outside could see. to_fallback_s: confirmed to the end of the first fallback answer. to_primary_s: proved
    clear to the end of the first primary answer.
    """

    after: str
    recovered_s: float | None
    window_s: float
    to_detect_s: float | None
    to_fallback_s: float | None
    to_primary_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A run in numbers.

    spend_usd: of the ordinary load, without what checks sent in bursts. spend_source: `provider` by its records,
    `target` by its claims, `unknown` where neither says (spend_usd is then 0 and means nothing).
    """

    run_id: str
    duration_s: float
    phases: tuple[PhaseSummary, ...]
    recoveries: tuple[Recovery, ...]
    spend_usd: float
    planned_spend_usd: float
    provider_calls: int
    unmatched_calls: int
    spend_source: str = "provider"
    schema: str = "harness.summary/1"
