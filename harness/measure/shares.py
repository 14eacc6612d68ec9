"""What each ratio objective counts: the requests that it is about, and which of them are bad for it.

    latency              due requests; bad: slower than the threshold, or not answered
    time to first token  due streamed requests; bad: first content later than the threshold, or not answered
    error rate           requests not cancelled; bad: error, timeout, malformed, shed, unsent, unexpected refusal
    fallback share       answers with a model or in place of one; bad for `<=`: fallbacks, for `>=`: the others

So every ratio objective is one question: is the share of bad events at most this much?
"""

from dataclasses import dataclass

import numpy as np

from harness.measure.requests import Mask, Requests
from harness.model.objective import Kind, Objective, Quantity
from harness.model.plan import PhaseKind, Plan


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Two masks over all requests of a run: those an objective counts, and those of them that are bad for it."""

    counted: Mask
    bad: Mask


def events_of(objective: Objective, requests: Requests) -> Events:
    """Return what a ratio objective counts, in any phase. Raises ValueError on an objective of another kind."""
    if objective.quantity is Quantity.LATENCY:
        counted, bad = requests.due, ~(requests.response_ns <= _threshold_ns(objective))
    elif objective.quantity is Quantity.TTFT:
        counted, bad = requests.due & requests.streamed, ~(requests.ttft_ns <= _threshold_ns(objective))
    elif objective.quantity is Quantity.ERROR_SHARE:
        counted, bad = ~requests.cancelled, requests.bad
    elif objective.quantity is Quantity.FALLBACK_SHARE:
        counted, bad = requests.model_answered, requests.fallback if objective.op == "<=" else ~requests.fallback
    else:
        raise ValueError(f"objective {objective.id} ({objective.quantity}) is not a share of requests")
    if objective.classes:
        counted = counted & requests.user_class.is_in(objective.classes)
    counted = counted & requests.mix
    return Events(counted, counted & bad)


def bad_limit(objective: Objective) -> float:
    """Return the most that the share of bad events may be: the limit itself, or what a limit from below leaves."""
    return objective.limit if objective.op == "<=" else round(1.0 - objective.limit, 12)


def steady_ratios(plan: Plan) -> tuple[Objective, ...]:
    """Return the ratio objectives that hold in a steady phase: together they say what "recovered" means.

    Of a plan without a steady phase, those of its recovery phases.
    """
    for kind in (PhaseKind.STEADY, PhaseKind.RECOVERY):
        names = {phase.name for phase in plan.phases if phase.kind is kind}
        found = tuple(o for o in plan.objectives if o.kind is Kind.RATIO and (names & set(o.during) if o.during else names))
        if found:
            return found
    return ()


def _threshold_ns(objective: Objective) -> float:
    return np.nan if objective.threshold_ns is None else float(objective.threshold_ns)
