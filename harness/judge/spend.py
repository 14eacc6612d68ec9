"""Budget objectives: what the load cost, by the provider's own meter, against the limit; no interval, no estimate."""

import math

from harness.judge.wording import count, dollars
from harness.measure.reading import Reading
from harness.measure.summary import mix_spend_usd
from harness.model.judgement import Judgement, Shown, Status, Test
from harness.model.objective import Objective


def judge_spend(reading: Reading, objective: Objective) -> list[Judgement]:
    """Return the judgement of one spending limit, over the ordinary load of all phases."""
    spend, source = mix_spend_usd(reading)
    calls = 0 if reading.calls is None else reading.calls.count
    status = Status.INCONCLUSIVE
    if spend is None or not math.isfinite(spend):
        reason = "neither the provider's records nor the target say what the load cost"
    elif source != "provider":
        reason = f"only the target itself says what the load cost ({dollars(spend)}): a limit needs a meter of the provider's"
    elif calls == 0:
        reason = "the provider recorded no call at all, so nothing was spent that could be judged"
    else:
        status = Status.PASS if spend <= objective.limit else Status.FAIL
        over = "" if status is Status.PASS or objective.limit <= 0 else f", {spend / objective.limit:.2f} times as much"
        reason = f"the load cost {dollars(spend)} in {count(calls, 'call')} (limit {dollars(objective.limit)}{over})"
    return [
        Judgement(
            id=objective.id,
            kind=objective.kind,
            severity=objective.severity,
            status=status,
            reason=reason,
            covers=objective.covers,
            written=objective.written,
            test=Test(quantity="spend_usd", op=objective.op, limit=objective.limit, value=spend, n=calls),
            shown=Shown(quantity="spend", unit="USD", value=spend),
        )
    ]
