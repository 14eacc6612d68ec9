"""Does a foreign target say the truth about itself? Its claims against the provider's records, answer by answer.

Findings only, of severity `warn`: objectives are judged on what the provider recorded, so that a false claim never
improves a verdict, and a scenario's author did not ask for this. Source: docs/decisions/0151-claims-are-checked.md
"""

from collections.abc import Sequence

import numpy as np

from harness.judge.run_claims import judge_run_claims
from harness.judge.streams import judge_streams
from harness.judge.wording import count, dollars
from harness.measure import Reading
from harness.measure.columns import Mask
from harness.model.judgement import Evidence, Judgement, Status, Test
from harness.model.objective import Kind, Severity
from harness.model.outcome import Source

COST_TOLERANCE_RATIO = 0.01
"""Prices are rounded on their way through a header; a hundredth is no lie."""

_MOST_EVIDENCE = 5


def judge_claims(reading: Reading) -> list[Judgement]:
    """Return a result for each kind of claim that a foreign target made; none for a target of our own, or without records."""
    if reading.plan.target.kind != "external" or reading.calls is None:
        return []
    signals = reading.plan.signals
    results: list[Judgement] = []
    if signals.fallback is not None:
        results.append(_fallback(reading))
    if signals.cost is not None:
        results.append(_cost(reading))
    if signals.cache is not None or any(source is Source.CACHE for source, _ in signals.sources):
        results.append(_cache(reading))
    results += judge_run_claims(reading, reading.calls)
    results += judge_streams(reading)
    results.append(_retries(reading))
    return results


def _fallback(reading: Reading) -> Judgement:
    columns = reading.requests.columns
    claimed, metered = columns.floats("claimed_fallback"), columns.floats("metered_fallback")
    both = ~np.isnan(claimed) & ~np.isnan(metered) & reading.requests.answered
    wrong = both & (claimed != metered)
    hidden = int(np.count_nonzero(wrong & (metered == 1)))
    called = int(np.count_nonzero(wrong)) - hidden
    said = f"{hidden} answers of the second model were not called a fallback, {called} were called one and were none"
    return _result("claimed-fallback", "what it says of fallback", both, wrong, said, reading)


def _cost(reading: Reading) -> Judgement:
    """Compare answer by answer; more than the meter is only a lie where no attempt was cut off.

    Of an attempt that was broken off, by a fault or by the service's own patience, nobody but the provider knows the
    bill, so that a careful service keeps what it had reserved for it. It may have broken off before the provider knew of
    it: then only the answer tells, which is not the primary's. Less than the meter is always wrong.
    """
    requests = reading.requests
    claimed, metered = requests.claimed_cost_usd, requests.metered_cost_usd
    both = ~np.isnan(claimed) & ~np.isnan(metered) & requests.answered
    one_call_gave_it = requests.source.is_in([Source.PRIMARY]) & (reading.calls_per_request <= 1)
    one_call_gave_it &= requests.columns.floats("metered_fallback") != 1
    none = np.zeros(requests.size, dtype=np.bool_)
    exposed = np.logical_or.reduce(list(reading.exposed.values()), axis=0) if reading.exposed else none
    with np.errstate(invalid="ignore"):
        apart = np.abs(claimed - metered) > COST_TOLERANCE_RATIO * np.maximum(metered, 1e-9) + 1e-9
        wrong = both & apart & ((claimed < metered) | (~exposed & one_call_gave_it))
    sums = f"{dollars(float(claimed[wrong].sum()))} claimed for them, {dollars(float(metered[wrong].sum()))} metered"
    return _result(
        "claimed-cost", "what it says of cost", both, wrong, f"claim and meter differ by more than 1 %: {sums}", reading
    )


def _cache(reading: Reading) -> Judgement:
    hit = reading.requests.source.is_in([Source.CACHE]) & reading.requests.answered
    wrong = hit & (reading.calls_per_request > 0)
    return _result(
        "claimed-cache", "what it says of its cache", hit, wrong, "an answer `from the cache` had called the model", reading
    )


def _retries(reading: Reading) -> Judgement:
    calls = reading.calls_per_request
    asked = reading.requests.answered & (calls > 0)
    most = int(calls[asked].max()) if np.any(asked) else 0
    text = (
        f"{count(int(calls[asked].sum()), 'call')} of the provider for {count(int(np.count_nonzero(asked)), 'answer')} "
        f"that needed one, at most {most} for one"
    )
    status = Status.PASS if np.any(asked) else Status.NOT_APPLICABLE
    return _judgement("calls-per-answer", "calls of the provider", status, text, asked, None, (), kind=Kind.INFO)


def _result(name: str, what: str, seen: Mask, wrong: Mask, said: str, reading: Reading) -> Judgement:
    total, lies = int(np.count_nonzero(seen)), int(np.count_nonzero(wrong))
    if total == 0:
        return _judgement(
            name, what, Status.NOT_APPLICABLE, "it said nothing that the provider's records could check", seen, 0, ()
        )
    if lies == 0:
        text = f"all {total:,} claims agree with the provider's records"
        return _judgement(name, what, Status.PASS, text, seen, 0, ())
    text = f"{lies:,} of {total:,} claims disagree with the provider's records: {said}"
    seqs = reading.requests.seq[wrong][:_MOST_EVIDENCE]
    return _judgement(name, what, Status.WARN, text, seen, lies, seqs.tolist())


def _judgement(
    name: str,
    what: str,
    status: Status,
    reason: str,
    seen: Mask,
    wrong: int | None,
    seqs: Sequence[int],
    *,
    kind: Kind = Kind.CHECK,
) -> Judgement:
    total = int(np.count_nonzero(seen))
    test = None
    if wrong is not None:
        value = wrong / total if total else None
        test = Test(quantity="false_share", op="<=", limit=0.0, value=value, n=total, bad=wrong)
    return Judgement(
        id=name,
        kind=kind,
        severity=Severity.WARN,
        status=status,
        reason=reason,
        written=what,
        test=test,
        evidence=tuple(Evidence(kind="request", ref=str(seq)) for seq in seqs),
    )
