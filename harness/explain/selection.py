"""Which requests a result is about: by the same rules that judged it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.errors import ConfigurationError, did_you_mean
from harness.measure import Reading
from harness.measure.requests import Mask
from harness.model.judgement import Judgement
from harness.model.objective import Objective, Quantity
from harness.model.outcome import Source

MOST = 100_000
"""Requests that one explanation sums up; beyond it, an even choice of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The requests that count against a result. noun: what they are, `late answers`; of: how many were judged.

    chosen: how many of `found` stand in seqs, fewer where there were too many.
    """

    seqs: tuple[int, ...]
    noun: str
    found: int
    of: int


def select(reading: Reading, judgement: Judgement, objectives: Sequence[Objective]) -> Selection:
    """Return the requests that count against one result; none for a result that is about no single request."""
    objective = next((each for each in objectives if each.id == judgement.id), None)
    check = next((each for each in reading.plan.checks if each.id == judgement.id), None)
    if check is not None:
        return _of_check(reading, check.id)
    if objective is None:
        return Selection(seqs=(), noun="requests", found=0, of=0)
    phases = [judgement.phase] if judgement.phase else [*objective.during] or [objective.after or ""]
    among = np.zeros(reading.requests.size, dtype=np.bool_)
    for name, members in reading.members.items():
        if name in phases or (not judgement.phase and objective.quantity is Quantity.SPEND):
            among |= members.eligible
    if objective.quantity is Quantity.RECOVERY:
        after = {phase.name for phase in reading.plan.phases}
        among = np.logical_or.reduce([m.intended for name, m in reading.members.items() if name in after], axis=0)
    if objective.classes:
        among &= reading.requests.user_class.is_in(objective.classes)
    against, noun = _against(reading, objective)
    return _chosen(reading, among & against, noun, int(np.count_nonzero(among)))


def _against(reading: Reading, objective: Objective) -> tuple[Mask, str]:
    requests = reading.requests
    threshold_ns = np.inf if objective.threshold_ns is None else float(objective.threshold_ns)
    match objective.quantity:
        case Quantity.LATENCY:
            return requests.due & ~(requests.response_ns <= threshold_ns), "late or failed answers"
        case Quantity.TTFT:
            return requests.due & requests.streamed & ~(requests.ttft_ns <= threshold_ns), "late or failed first tokens"
        case Quantity.FALLBACK_SHARE if objective.op.startswith(">"):
            return requests.due & ~requests.fallback & ~requests.source.is_in(
                [Source.CACHE, Source.RULE]
            ), "requests without a fallback answer"
        case Quantity.FALLBACK_SHARE:
            return requests.fallback, "fallback answers"
        case Quantity.SPEND:
            cost = np.nan_to_num(requests.metered_cost_usd)
            return cost > np.quantile(cost, 0.99) if cost.size else requests.bad, "dearest requests"
        case _:
            return requests.bad, "bad requests"


def _of_check(reading: Reading, check_id: str) -> Selection:
    principals = {burst.principal for burst in reading.plan.load.bursts if burst.check_id == check_id}
    mask = reading.requests.principal.is_in(principals)
    return _chosen(reading, mask, f"requests of the check {check_id}", int(np.count_nonzero(mask)))


def _chosen(reading: Reading, mask: Mask, noun: str, of: int) -> Selection:
    rows = np.flatnonzero(mask)
    kept = rows[:: max(1, -(-rows.size // MOST))]
    return Selection(seqs=tuple(int(seq) for seq in reading.requests.seq[kept]), noun=noun, found=int(rows.size), of=of)


def find_judgements(results: Sequence[Judgement], name: str) -> list[Judgement]:
    """Return the results of an objective or check, `latency-p95` or `latency-p95/outage`. Raises ConfigurationError."""
    id_, _, phase = name.partition("/")
    found = [each for each in results if each.id == id_ and (not phase or each.phase == phase)]
    if not found:
        known: Mapping[str, None] = dict.fromkeys(each.id for each in results)
        hint = did_you_mean(id_, known)
        raise ConfigurationError(
            f"the run has no result {name!r}; it has {', '.join(known)}{hint}; a request is its number or id"
        )
    return found
