"""Did the budgets hold? By what the provider metered, user by user; the service's own books are not asked."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.checks.budget_cap.planning import reservation_usd
from harness.measure.reading import Reading
from harness.measure.requests import Mask
from harness.model.figures import dollars
from harness.model.judgement import Evidence, Judgement, Shown, Status, Test
from harness.model.objective import Kind, Severity
from harness.model.outcome import Refusal, Result, Source
from harness.model.plan import Burst, PlannedCheck

LEAST_USED = 0.5
"""Refusing everything keeps any cap. Less than half of the money let out, counted as a service must hold it, is a
budget that refuses honest users. Half, because a service may reserve up to twice what we estimate for a prompt."""

MOST_EVIDENCE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """What one user's burst came to. may_hold_usd: what else may be reserved, for who was let through no further than a guard."""

    principal: str
    rows: Mask
    cap_usd: float
    metered_usd: float
    held_usd: float
    may_hold_usd: float


def judge_budget_cap(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the budgets held, with the user who spent the most for its budget. Raises RunDirectoryError."""
    bursts = [burst for burst in reading.plan.load.bursts if burst.check_id == check.id]
    of_users = {burst.principal: burst for burst in bursts if burst.principal in reading.plan.capped_principals}
    uses = [_use(reading, burst) for burst in of_users.values()]  # a user may burst more than once
    worst = max(uses, key=lambda use: use.metered_usd / use.cap_usd, default=None)
    status, reason, telling = _decide(reading, uses, worst)
    seqs = reading.requests.seq[telling][:MOST_EVIDENCE]
    return Judgement(
        id=check.id,
        kind=Kind.BUDGET,
        severity=Severity.GATE,
        status=status,
        reason=reason,
        covers=check.covers,
        phase=check.phase,
        written="budget cap",
        test=None
        if worst is None
        else Test(
            quantity="metered_usd",
            op="<=",
            limit=worst.cap_usd,
            value=None if reading.calls is None else worst.metered_usd,
            n=int(sum(np.count_nonzero(use.rows) for use in uses)),
        ),
        shown=None
        if reading.calls is None
        else Shown(quantity="metered spend of the burst", unit="USD", value=sum(use.metered_usd for use in uses)),
        evidence=tuple(Evidence(kind="request", ref=str(seq)) for seq in seqs),
    )


def _use(reading: Reading, burst: Burst) -> _Use:
    rows = reading.requests.principal.is_in([burst.principal])
    rows &= reading.requests.user_class.is_in([burst.user_class.name])
    metered = float(np.nansum(reading.requests.metered_cost_usd[rows]))
    let_through = rows & (reading.requests.answered | (reading.calls_per_request > 0))
    stuck = rows & ~let_through & reading.requests.refusal.is_in([Refusal.UNAVAILABLE])
    each_usd = reservation_usd(burst.user_class)
    return _Use(
        principal=burst.principal,
        rows=rows,
        cap_usd=reading.plan.capped_principals[burst.principal],
        metered_usd=metered,
        held_usd=int(np.count_nonzero(let_through)) * each_usd,
        may_hold_usd=int(np.count_nonzero(stuck)) * each_usd,
    )


def _decide(reading: Reading, uses: Sequence[_Use], worst: _Use | None) -> tuple[Status, str, Mask]:
    """Return status, reason and the requests that show it."""
    requests, per_request = reading.requests, reading.calls_per_request
    nothing = np.zeros(requests.size, dtype=np.bool_)
    if worst is None:
        return Status.INCONCLUSIVE, "the plan has no burst of a user with a budget for this check", nothing
    rows = np.logical_or.reduce([use.rows for use in uses], axis=0)
    sent = int(np.count_nonzero(rows))
    if reading.calls is None:
        return Status.INCONCLUSIVE, "the provider's records are missing, so nothing says what the burst really cost", rows
    called = rows & (per_request > 0)
    calls = int(np.count_nonzero(called))
    if worst.metered_usd > worst.cap_usd:
        return Status.FAIL, _overshoot(uses, worst, calls, sent), called & worst.rows
    if calls == 0:
        return Status.INCONCLUSIVE, f"none of the {sent} requests of the burst reached the provider", rows
    by_model = requests.source.is_in([Source.PRIMARY, Source.SECONDARY])
    unjoined = rows & requests.answered & by_model & (per_request == 0)
    if np.any(unjoined):
        many = int(np.count_nonzero(unjoined))
        text = f"{many} answers of the burst cannot be joined with the provider's calls, so what they cost is unknown"
        return Status.INCONCLUSIVE, text, unjoined
    refused = rows & requests.result.is_in([Result.REFUSED])
    by_budget = refused & requests.refusal.is_in([Refusal.BUDGET])
    otherwise = refused & ~by_budget
    if not np.any(by_budget):
        what = ", ".join(f"{n} {name}" for name, n in requests.refusal.counts(otherwise).items()) or "none"
        text = f"no request of the burst was refused for its budget (otherwise: {what}), so the cap was never put to the test"
        return Status.INCONCLUSIVE, text, rows
    unavailable = otherwise & requests.refusal.is_in([Refusal.UNAVAILABLE])  # closed, not open: no word on the cap
    wrongly = otherwise & ~unavailable
    if np.any(wrongly):
        what = ", ".join(f"{n} {name}" for name, n in requests.refusal.counts(wrongly).items())
        many = int(np.count_nonzero(wrongly))
        return Status.FAIL, f"{many} of the burst's {sent} requests were refused, but not as budget: {what}", wrongly
    held, cap = sum(use.held_usd for use in uses), sum(use.cap_usd for use in uses)
    if held < LEAST_USED * cap <= held + sum(use.may_hold_usd for use in uses):
        text = (
            f"{int(np.count_nonzero(unavailable))} of {sent} calls found a guard unavailable and may have reserved money before: "
            f"whether the {int(np.count_nonzero(by_budget))} that were refused for their budget had any left cannot be told"
        )
        return Status.INCONCLUSIVE, text, unavailable
    if held < LEAST_USED * cap:
        text = (
            f"only {calls} of {sent} calls were let through, which takes {dollars(held)} of the {dollars(cap)} budgeted: "
            f"{int(np.count_nonzero(by_budget))} were refused while money was left"
        )
        return Status.FAIL, text, by_budget
    text = (
        f"{calls} of {sent} concurrent calls were let through and {int(np.count_nonzero(by_budget))} refused for their budget; "
        f"by the provider's meter no user spent more than {worst.metered_usd / worst.cap_usd:.0%} of its cap".replace("%", " %")
    )
    if np.any(unavailable):
        text += f"; {int(np.count_nonzero(unavailable))} found a guard unavailable and were refused for that"
    return Status.PASS, text, nothing


def _overshoot(uses: Sequence[_Use], worst: _Use, calls: int, sent: int) -> str:
    over = sum(use.metered_usd > use.cap_usd for use in uses)
    return (
        f"by the provider's meter {worst.principal} spent {dollars(worst.metered_usd, against=worst.cap_usd)} "
        f"with a cap of {dollars(worst.cap_usd)}, "
        f"{worst.metered_usd / worst.cap_usd:.2f} times as much; {over} of {len(uses)} users overspent, "
        f"{calls} of {sent} concurrent calls reached the provider"
    )
