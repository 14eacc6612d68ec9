"""What each ratio objective counts: the requests that it is about, and which of them are bad for it.

    latency                due requests; bad: slower than the threshold, or not answered
    time to first token    due streamed requests; bad: first content later than the threshold, or not answered
    inter-token latency    due streamed requests of two chunks and more, and those not answered; bad: the p95 of an answer's
                           own gaps between chunks above the threshold, or not answered
    time per output token  the same of two tokens and more; bad: (last - first content) / (tokens - 1) above it, or not answered
    refusal latency        refused requests; bad: slower than the threshold
    error rate             requests not cancelled; bad: error, timeout, malformed, shed, unsent, unexpected refusal
    breakage               requests not cancelled; bad: error, timeout, malformed, unsent: no answer, and no typed refusal
    availability           due requests; bad: not answered
    goodput                due requests; bad: not answered, or beyond a latency bound that the scenario sets for it
    answered share         requests not cancelled; bad for `<=`: answered, for `>=`: the others
    fallback share         answers with a model or in place of one; bad for `<=`: fallbacks, for `>=`: the others
    degraded share         the same answers; bad: stale or canned ones
    refusal share          requests not cancelled; bad for `<=`: refused (of the kinds named), for `>=`: the others
    silent breakage        streamed requests not cancelled; bad: stopped without a terminator and without an error event
    false claims           answers that claim a cost, a fallback or the cache; bad: the provider's records say otherwise
    joined share           answers of the primary or the second model; bad for `>=`: no call of the provider carries their id
    logged share           answered or refused requests; bad for `>=`: no log line of the target carries their id
    paid twice             requests with a whole answer at the provider; bad: more than one, each of which is billed
    cache hit rate         answers but those of rules; bad for `>=`: not from the cache, for `<=`: from it

So every ratio objective is one question: is the share of bad events at most this much?
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.measure.claims import claims_of
from harness.measure.requests import Floats, Mask, Requests
from harness.model.error_kind import ErrorKind
from harness.model.objective import Objective, Quantity
from harness.model.outcome import DEGRADED_SOURCES, Result, Source
from harness.model.plan import PhaseKind, Plan

SILENT_ENDS = (ErrorKind.NO_DONE, ErrorKind.TRUNCATED, ErrorKind.RESET)
"""How a stream ends that has broken and says nothing of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Two masks over all requests of a run: those an objective counts, and those of them that are bad for it."""

    counted: Mask
    bad: Mask


def events_of(objective: Objective, requests: Requests, beside: Sequence[Objective] = ()) -> Events:
    """Return what a ratio objective counts, in any phase. Raises ValueError on an objective of another kind.

    beside: the plan's objectives, whose latency bounds goodput takes over where they hold in the same phases.
    """
    if objective.quantity is Quantity.GOODPUT:
        counted, bad = requests.due, ~_good(objective, requests, beside)
    elif (events := _EVENTS.get(objective.quantity)) is not None:
        counted, bad = events(objective, requests)
    else:
        raise ValueError(f"objective {objective.id} ({objective.quantity}) is not a share of requests")
    counted = counted & selected(objective, requests) & requests.mix
    return Events(counted, counted & bad)


def selected(objective: Objective, requests: Requests) -> Mask:
    """Return which requests an objective's selectors name."""
    chosen = np.ones(requests.size, dtype=np.bool_)
    if objective.classes:
        chosen &= requests.user_class.is_in(objective.classes)
    if objective.principals:
        chosen &= requests.principal.is_in(objective.principals)
    if objective.models:
        chosen &= requests.model.is_in(objective.models)
    if objective.streamed is not None:
        chosen &= requests.streamed == objective.streamed
    return chosen


def durations_of(objective: Objective, requests: Requests) -> Floats:
    """Return the durations that a time objective bounds, in nanoseconds; +infinity where it never came."""
    return _DURATIONS[objective.quantity](requests)


def _latency(objective: Objective, requests: Requests) -> tuple[Mask, Mask]:
    return requests.due, _beyond(objective, requests.response_ns)


def _ttft(objective: Objective, requests: Requests) -> tuple[Mask, Mask]:
    return requests.due & requests.streamed, _beyond(objective, requests.ttft_ns)


def _gaps(objective: Objective, requests: Requests) -> tuple[Mask, Mask]:
    gaps = durations_of(objective, requests)
    return requests.due & requests.streamed & ~np.isnan(gaps), _beyond(objective, gaps)


def _refusal_latency(objective: Objective, requests: Requests) -> tuple[Mask, Mask]:
    return _refused(objective, requests), _beyond(objective, requests.ended_ns - requests.intended_ns)


def _errors(_: Objective, requests: Requests) -> tuple[Mask, Mask]:
    return ~requests.cancelled, requests.bad


def _breakage(_: Objective, requests: Requests) -> tuple[Mask, Mask]:
    return ~requests.cancelled, requests.result.is_in([Result.ERROR, Result.TIMEOUT, Result.MALFORMED, Result.UNSENT])


def _availability(_: Objective, requests: Requests) -> tuple[Mask, Mask]:
    return requests.due, ~requests.answered


def _answered(objective: Objective, requests: Requests) -> tuple[Mask, Mask]:
    return ~requests.cancelled, _either_way(objective, requests.answered)


def _fallbacks(objective: Objective, requests: Requests) -> tuple[Mask, Mask]:
    return requests.model_answered, _either_way(objective, requests.fallback)


def _degraded(objective: Objective, requests: Requests) -> tuple[Mask, Mask]:
    return requests.model_answered, _either_way(objective, requests.source.is_in(DEGRADED_SOURCES))


def _refusals(objective: Objective, requests: Requests) -> tuple[Mask, Mask]:
    return ~requests.cancelled, _either_way(objective, _refused(objective, requests))


def _hits(objective: Objective, requests: Requests) -> tuple[Mask, Mask]:
    counted = requests.answered & ~requests.source.is_in([Source.RULE])
    return counted, _either_way(objective, requests.source.is_in([Source.CACHE]))


def _silent(_: Objective, requests: Requests) -> tuple[Mask, Mask]:
    return ~requests.cancelled & requests.streamed, requests.error_kind.is_in(SILENT_ENDS) & ~np.isnan(requests.first_content_ns)


def _claims(_: Objective, requests: Requests) -> tuple[Mask, Mask]:
    found = claims_of(requests)
    return found.claimed, found.false


def _joined(objective: Objective, requests: Requests) -> tuple[Mask, Mask]:
    counted = requests.answered & requests.source.is_in([Source.PRIMARY, Source.SECONDARY])
    return counted, _either_way(objective, requests.columns.lengths("call_ids") > 0)


def _logged(objective: Objective, requests: Requests) -> tuple[Mask, Mask]:
    counted = requests.answered | requests.result.is_in([Result.REFUSED])
    found = requests.columns.logged()
    return counted & (found is not None), _either_way(objective, counted if found is None else found)


def _paid_twice(_: Objective, requests: Requests) -> tuple[Mask, Mask]:
    whole = requests.columns.whole_calls()
    return whole > 0, whole > 1


_EVENTS: Mapping[Quantity, Callable[[Objective, Requests], tuple[Mask, Mask]]] = {
    Quantity.LATENCY: _latency,
    Quantity.TTFT: _ttft,
    Quantity.ITL: _gaps,
    Quantity.TPOT: _gaps,
    Quantity.REFUSAL_LATENCY: _refusal_latency,
    Quantity.ERROR_SHARE: _errors,
    Quantity.BREAKAGE: _breakage,
    Quantity.AVAILABILITY: _availability,
    Quantity.ANSWERED_SHARE: _answered,
    Quantity.FALLBACK_SHARE: _fallbacks,
    Quantity.DEGRADED_SHARE: _degraded,
    Quantity.REFUSAL_SHARE: _refusals,
    Quantity.CACHE_HIT_RATE: _hits,
    Quantity.SILENT_BREAKAGE: _silent,
    Quantity.FALSE_CLAIMS: _claims,
    Quantity.JOINED_SHARE: _joined,
    Quantity.LOGGED_SHARE: _logged,
    Quantity.PAID_TWICE: _paid_twice,
}

_DURATIONS: Mapping[Quantity, Callable[[Requests], Floats]] = {
    Quantity.LATENCY: lambda requests: requests.response_ns,
    Quantity.TTFT: lambda requests: requests.ttft_ns,
    Quantity.ITL: lambda requests: requests.itl_ns,
    Quantity.TPOT: lambda requests: requests.tpot_ns,
    Quantity.REFUSAL_LATENCY: lambda requests: requests.ended_ns - requests.intended_ns,
}

RATIO_QUANTITIES = frozenset({*_EVENTS, Quantity.GOODPUT})
"""What is judged as a share of requests."""


def _good(objective: Objective, requests: Requests, beside: Sequence[Objective]) -> Mask:
    good = requests.answered.copy()
    for other in beside:
        if other.quantity not in (Quantity.LATENCY, Quantity.TTFT, Quantity.ITL, Quantity.TPOT):
            continue
        if set(objective.during) <= set(other.during):
            counted, bad = _EVENTS[other.quantity](other, requests)
            good &= ~(counted & bad & selected(other, requests))
    return good


def _refused(objective: Objective, requests: Requests) -> Mask:
    refused = requests.result.is_in([Result.REFUSED])
    return refused & requests.refusal.is_in(objective.refusals) if objective.refusals else refused


def _either_way(objective: Objective, hit: Mask) -> Mask:
    return hit if objective.op == "<=" else ~hit


def _beyond(objective: Objective, durations_ns: Floats) -> Mask:
    return ~(durations_ns <= _threshold_ns(objective))


def steady_ratios(plan: Plan) -> tuple[Objective, ...]:
    """Return the ratio objectives that hold in a steady phase: together they say what "recovered" means.

    Of a plan without a steady phase, those of its recovery phases.
    """
    for kind in (PhaseKind.STEADY, PhaseKind.RECOVERY):
        names = {phase.name for phase in plan.phases if phase.kind is kind}
        found = tuple(
            o for o in plan.objectives if o.quantity in RATIO_QUANTITIES and (names & set(o.during) if o.during else names)
        )
        if found:
            return found
    return ()


def _threshold_ns(objective: Objective) -> float:
    return np.nan if objective.threshold_ns is None else float(objective.threshold_ns)
