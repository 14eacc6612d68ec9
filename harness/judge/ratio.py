"""Ratio objectives: is the share of bad events at most the limit? One judgement for each phase.

The share is tested by its one-sided Clopper-Pearson bounds, on as many requests as the sequence is worth once
clusters are accounted for. Source: docs/explanation/verdicts.md
"""

import math
from collections.abc import Mapping

import numpy as np

from harness.judge.causes import what_went_wrong
from harness.judge.rows import row_of
from harness.judge.wording import count, percent, seconds
from harness.measure.membership import Members, Standing
from harness.measure.quantiles import quantiles_of
from harness.measure.reading import Reading
from harness.measure.requests import Mask
from harness.measure.shares import Events, durations_of, events_of
from harness.model.judgement import Evidence, Judgement, Shown, Status, Test
from harness.model.objective import Objective, Quantity
from harness.model.plan import PhaseKind
from harness.stats import Decision, bounds_of_share, cautious_n, decide, effective_n, needed, wilson_interval

MOST_EVIDENCE = 5

_STATUS = {Decision.PASS: Status.PASS, Decision.FAIL: Status.FAIL, Decision.UNDECIDED: Status.INCONCLUSIVE}
_QUANTITY = {
    Quantity.ERROR_SHARE: "error_share",
    Quantity.FALLBACK_SHARE: "fallback_share",
    Quantity.DEGRADED_SHARE: "degraded_share",
    Quantity.REFUSAL_SHARE: "refusal_share",
    Quantity.CACHE_HIT_RATE: "cache_hit_rate",
    Quantity.AVAILABILITY: "availability",
    Quantity.ANSWERED_SHARE: "answered_share",
    Quantity.GOODPUT: "goodput",
    Quantity.BREAKAGE: "breakage",
    Quantity.SILENT_BREAKAGE: "silent_breakage",
    Quantity.FALSE_CLAIMS: "false_claims",
    Quantity.JOINED_SHARE: "joined_share",
    Quantity.LOGGED_SHARE: "logged_share",
    Quantity.PAID_TWICE: "paid_twice",
}


def judge_ratio(reading: Reading, objective: Objective) -> list[Judgement]:
    """Return one judgement for each phase that the objective names; every phase but a warm-up where it names none."""
    judged = [p.name for p in reading.plan.phases if p.kind is not PhaseKind.WARMUP]
    events = events_of(objective, reading.requests, reading.plan.objectives)
    return [judge_events(reading, objective, name, events) for name in objective.during or judged]


def judge_events(reading: Reading, objective: Objective, phase: str, events: Events, *, hits: str | None = None) -> Judgement:
    """Return the judgement of one phase by events that somebody has counted.

    hits: of a plug-in's objective, what those do that it counts, after "the requests".
    """
    members = reading.members.get(phase)
    if members is None:
        return row_of(objective, Status.INCONCLUSIVE, f"the plan has no phase {phase!r}", phase=phase)
    if members.phase.kind is PhaseKind.WARMUP:
        return row_of(objective, Status.NOT_APPLICABLE, "a warm-up is never judged", phase=phase)
    counted = members.eligible & events.counted
    sequence = events.bad[counted]
    n, bad = int(sequence.size), int(np.count_nonzero(sequence))
    test = _test(objective, sequence, n, bad)
    if n == 0:
        return row_of(objective, Status.INCONCLUSIVE, _nothing_to_judge(objective, members), phase=phase, test=test)
    status = _STATUS[decide(bad * _worth(test) / n, _worth(test), objective.bad_limit, objective.confidence)]
    shown = _shown(reading, objective, counted, n, bad)
    reason = _sentence(objective, phase, status, test, shown, hits)
    if status is Status.FAIL and (cause := what_went_wrong(reading, members, events.bad & counted)):
        reason = f"{reason}; {cause}"
    evidence = _evidence(reading, events, counted)
    return row_of(objective, status, reason, phase=phase, test=test, shown=shown, evidence=evidence)


def _worth(test: Test) -> float:
    assert test.n_effective is not None
    return test.n_effective


def _test(objective: Objective, sequence: Mask, n: int, bad: int) -> Test:
    # Below its limit a share can pass wrongly, above it fail wrongly: only the one is helped by more caution with clusters.
    worth = cautious_n(sequence) if bad <= objective.bad_limit * n else effective_n(sequence)
    bad_worth = bad * worth / n if n else 0.0
    bounds = bounds_of_share(bad_worth, worth, objective.confidence)
    more = needed(bad_worth, worth, objective.bad_limit, objective.confidence)
    if more and worth:
        more = math.ceil(more * n / worth)  # each further request is worth as little as these were
    at_most = objective.op == "<="
    return Test(
        quantity=_QUANTITY.get(objective.quantity, (objective.expression or "bad_share").replace(" ", "_")),
        op=objective.op,
        limit=objective.limit,
        value=bounds.value if at_most or bounds.value is None else 1 - bounds.value,
        lower=bounds.lower if at_most else 1 - bounds.upper,
        upper=bounds.upper if at_most else 1 - bounds.lower,
        confidence=objective.confidence,
        n=n,
        n_effective=round(worth, 1),
        bad=bad,
        needed=more,
    )


def _shown(reading: Reading, objective: Objective, counted: Mask, n: int, bad: int) -> Shown:
    if objective.permille is not None:
        (quantile,) = quantiles_of(durations_of(objective, reading.requests)[counted], (objective.permille,))
        name = f"p{objective.permille / 10:g}"
        ends = (quantile.low_s, quantile.high_s)
        interval = None if ends[0] is None or ends[1] is None else (ends[0], ends[1])
        return Shown(quantity=name, unit="s", value=quantile.value_s, interval=interval)
    good = n - bad if objective.op == ">=" else bad
    name = str(objective.quantity) if objective.expression is None else objective.expression
    return Shown(quantity=name, unit="ratio", value=good / n, interval=wilson_interval(good, n))


def _evidence(reading: Reading, events: Events, counted: Mask) -> tuple[Evidence, ...]:
    """Return the worst of the bad: those never answered first, each group by how long it took."""
    requests = reading.requests
    rows = np.flatnonzero(counted & events.bad)
    took = np.nan_to_num(requests.ended_ns[rows] - requests.intended_ns[rows], nan=np.inf)
    order = np.lexsort((requests.seq[rows], -took, requests.answered[rows]))
    return tuple(Evidence(kind="request", ref=str(requests.seq[row])) for row in rows[order[:MOST_EVIDENCE]])


def _nothing_to_judge(objective: Objective, members: Members) -> str:
    picked = (*objective.classes, *objective.principals, *objective.models)
    about = f" of {' and '.join(picked)}" if picked else ""
    intended = int(np.count_nonzero(members.intended))
    parts = {
        "astride the edge of a fault": members.count(Standing.STRADDLING),
        "before the recovery": members.count(Standing.RECOVERING),
        "cancelled by the harness": members.count(Standing.CANCELLED),
        f"not counted by {objective.expression or objective.quantity}": members.count(Standing.ELIGIBLE),
    }
    told = ", ".join(f"{number:,} {what}" for what, number in parts.items() if number)
    return f"nothing to judge{about} in phase {members.phase.name}: {count(intended, 'request')} intended" + (
        f", of which {told}" if told else ""
    )


def _sentence(objective: Objective, phase: str, status: Status, test: Test, shown: Shown, told: str | None) -> str:
    assert test.n is not None
    assert test.bad is not None
    limit = percent(objective.limit)
    predicate = told or _predicate(objective)
    assert test.value is not None
    assert test.lower is not None
    assert test.upper is not None
    share = percent(test.value, against=objective.limit)
    sure = f"{objective.confidence:.0%} confidence".replace("%", " %")
    if objective.op == ">=":
        hits = test.n - test.bad
        figure = f"{share} of {_whole(objective, test.n)} in phase {phase} {predicate} "
        figure += f"({hits:,} of {test.n:,}; limit at least {limit}"
        figure = f"only {figure}" if status is Status.FAIL else figure
        bound = (
            f"at least {percent(test.lower, against=objective.limit)}",
            f"at most {percent(test.upper, against=objective.limit)}",
        )
    else:
        figure = f"{share} of {_whole(objective, test.n)} in phase {phase} {predicate} "
        figure += f"({test.bad:,} of {test.n:,}; limit at most {limit}"
        bound = (
            f"at most {percent(test.upper, against=objective.limit)}",
            f"at least {percent(test.lower, against=objective.limit)}",
        )
    if objective.permille is not None and status is not Status.INCONCLUSIVE:
        value = "never" if shown.value is None else seconds(shown.value)
        figure += f"; {shown.quantity} {value}"
    if status is Status.PASS:
        return f"{figure}; {bound[0]} with {sure})"
    if status is Status.FAIL:
        return f"{figure}; {bound[1]} with {sure})"
    between = (
        f"the true share may be {percent(test.lower, against=objective.limit)} to {percent(test.upper, against=objective.limit)}"
    )
    if test.needed:
        return (
            f"{figure}): too few to decide, {between}; about {count(test.needed, 'more request')} would, if the share stays there"
        )
    return f"{figure}): too near the limit for any number of requests to decide, {between}"


_WHOLES: Mapping[Quantity, str] = {
    Quantity.FALLBACK_SHARE: "the answers",
    Quantity.DEGRADED_SHARE: "the answers",
    Quantity.CACHE_HIT_RATE: "the answers",
    Quantity.TTFT: "the streamed requests",
    Quantity.ITL: "the streamed requests",
    Quantity.TPOT: "the streamed requests",
    Quantity.REFUSAL_LATENCY: "the refusals",
    Quantity.SILENT_BREAKAGE: "the streamed requests",
    Quantity.FALSE_CLAIMS: "the answers that say something of themselves",
    Quantity.JOINED_SHARE: "the answers of a model",
    Quantity.LOGGED_SHARE: "the answers and refusals",
    Quantity.PAID_TWICE: "the requests that a model answered",
}

_PREDICATES: Mapping[Quantity, str] = {
    Quantity.LATENCY: "took longer than {bound} or failed",
    Quantity.TTFT: "took longer than {bound} to their first token or failed",
    Quantity.ITL: "had gaps between chunks above {bound} (their own p95) or failed",
    Quantity.TPOT: "took longer than {bound} a token or failed",
    Quantity.REFUSAL_LATENCY: "took longer than {bound} to say no",
    Quantity.ERROR_SHARE: "failed",
    Quantity.BREAKAGE: "ended without an answer and without a typed refusal",
    Quantity.AVAILABILITY: "were answered",
    Quantity.ANSWERED_SHARE: "were answered",
    Quantity.GOODPUT: "were answered within every latency bound",
    Quantity.FALLBACK_SHARE: "came from a fallback",
    Quantity.DEGRADED_SHARE: "were stale or canned",
    Quantity.CACHE_HIT_RATE: "came from the cache",
    Quantity.SILENT_BREAKAGE: "just stopped, without a word",
    Quantity.FALSE_CLAIMS: "say of their cost, fallback or cache what the provider's records deny",
    Quantity.JOINED_SHARE: "stand in the provider's records under their own id",
    Quantity.LOGGED_SHARE: "stand in the logs under their own id",
    Quantity.PAID_TWICE: "were answered whole more than once at the provider",
}


def _whole(objective: Objective, n: int) -> str:
    return _WHOLES.get(objective.quantity, f"the {'request' if n == 1 else 'requests'}")


def _predicate(objective: Objective) -> str:
    if objective.quantity is Quantity.REFUSAL_SHARE:
        return "were refused" + (f" ({', '.join(objective.refusals)})" if objective.refusals else "")
    bound = "" if objective.threshold_ns is None else seconds(objective.threshold_ns / 1e9)
    return _PREDICATES[objective.quantity].format(bound=bound)
