"""Budget objectives: money and tokens by the provider's own meter, against the limit; no interval, no estimate."""

import math
from dataclasses import dataclass

import numpy as np

from harness.judge.rows import row_of
from harness.judge.wording import count, dollars
from harness.measure.reading import Reading
from harness.measure.summary import mix_spend_usd
from harness.model.judgement import Judgement, Shown, Status, Test
from harness.model.objective import Objective, Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metered:
    """What a meter shows. value: None where it shows nothing; of: how many events it is about. whose: `provider` or not."""

    value: float | None
    of: int
    whose: str
    text: str
    nothing: str


def judge_spend(reading: Reading, objective: Objective) -> list[Judgement]:
    """Return the judgement of one limit on money or tokens, over the ordinary load of all phases."""
    metered = _METERS[objective.quantity](reading)
    shows = metered.value is not None and math.isfinite(metered.value)
    if not shows:
        status, reason = Status.INCONCLUSIVE, metered.nothing
    elif metered.whose != "provider":
        reason = f"only the target itself says so: {metered.text}; a limit needs a meter of the provider's"
        status = Status.INCONCLUSIVE
    elif metered.of == 0:
        status, reason = Status.INCONCLUSIVE, metered.nothing
    else:
        assert metered.value is not None
        status = Status.PASS if metered.value <= objective.limit else Status.FAIL
        over = "" if status is Status.PASS or objective.limit <= 0 else f", {metered.value / objective.limit:.2f} times as much"
        reason = f"{metered.text} (limit {_figure(objective, objective.limit)}{over})"
    unit = "USD" if objective.quantity is not Quantity.TOKENS else "count"
    name = {Quantity.SPEND: "spend_usd", Quantity.COST_PER_QUERY: "cost_per_query_usd", Quantity.TOKENS: "tokens"}
    return [
        row_of(
            objective,
            status,
            reason,
            test=Test(
                quantity=name[objective.quantity], op=objective.op, limit=objective.limit, value=metered.value, n=metered.of
            ),
            shown=Shown(quantity=str(objective.quantity.value), unit=unit, value=metered.value),
        )
    ]


def _figure(objective: Objective, value: float) -> str:
    return f"{value:,.0f}" if objective.quantity is Quantity.TOKENS else dollars(value)


def _spend(reading: Reading) -> _Metered:
    spend, source = mix_spend_usd(reading)
    calls = 0 if reading.calls is None else reading.calls.count
    nothing = (
        "neither the provider's records nor the target say what the load cost"
        if spend is None or not math.isfinite(spend)
        else "the provider recorded no call at all, so nothing was spent that could be judged"
    )
    said = 0.0 if spend is None else spend
    text = (
        f"the load cost {dollars(said)} in {count(calls, 'call')}" if source == "provider" else f"the load cost {dollars(said)}"
    )
    return _Metered(value=spend, of=calls, whose=source, text=text, nothing=nothing)


def _cost_per_query(reading: Reading) -> _Metered:
    spend, source = mix_spend_usd(reading)
    answered = int(np.count_nonzero(reading.requests.mix & reading.requests.answered))
    silent = reading.calls is not None and reading.calls.count == 0  # a meter that saw nothing measured nothing
    each = None if spend is None or not answered or silent else spend / answered
    text = "" if each is None else f"an answer cost {dollars(each)} on average, over {count(answered, 'answer')}"
    return _Metered(value=each, of=answered, whose=source, text=text, nothing="no answer was given whose cost could be known")


def _tokens(reading: Reading) -> _Metered:
    calls = reading.calls
    if calls is None or calls.count == 0:
        nothing = "the provider recorded no call at all, so no token was counted"
        return _Metered(value=None, of=0, whose="provider", text="", nothing=nothing)
    prompt, completion = calls.tokens()
    text = (
        f"the provider counted {prompt + completion:,} tokens ({prompt:,} in, {completion:,} out) in {count(calls.count, 'call')}"
    )
    return _Metered(value=float(prompt + completion), of=calls.count, whose="provider", text=text, nothing="")


_METERS = {Quantity.SPEND: _spend, Quantity.COST_PER_QUERY: _cost_per_query, Quantity.TOKENS: _tokens}
