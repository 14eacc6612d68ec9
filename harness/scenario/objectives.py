"""The two forms of an objective, and their grammar.

    latency                 ::= percentile            time to first token, inter-token latency,
                                                      time per output token, refusal latency: the same
    error rate              ::= ceiling               breakage, degraded share: the same
    availability            ::= floor                 goodput: the same
    fallback share          ::= ceiling | floor       refusal share, cache hit rate, answered share: the same
    stream integrity        ::= "never broken"
    order                   ::= "never changed"
    longest wait            ::= duration              "6s"      (of one request, by phase)
    recovered within        ::= duration              "10s"     (needs `after: PHASE`)
                                                      detected within, fallback within, primary again within: the same
    spend                   ::= "<=" money | "<=" number "x planned"           "<= $0.50", "<= 1.2 x planned"
    cost per query          ::= "<=" money                                     "<= $0.002"
    tokens                  ::= "<=" number                                    "<= 200000"
    silent breakage         ::= ceiling               false claims, paid twice: the same
    joined share            ::= floor                 logged share: the same
    server metric           ::= query                 as `harness.model.metric_query` has it
    log rule                ::= ("never " | "some ") pattern                   a regular expression
    answer rule             ::= "never " pattern
    error budget burn       ::= "<" number "over" duration "and" duration "of" share
                                                                               "< 14.4 over 30s and 5s of 99.9%"
    percentile              ::= "p" number "<" duration                        "p95 < 5s"
    ceiling, floor          ::= "<" share, ">" share                           "< 5%", "> 95%"

`<` and `<=` are the same bound, `>` and `>=` too: shares and times are continuous. A latency percentile is a share:
`p95 < 5s` is "at most 5 % of the eligible requests slower than 5 s or not answered".

The explicit form says the same in keys, and can say what the short one cannot (`at most 3 % slower than 5 s`):

    {measure: latency, threshold: 5s, at_most: 5%}        a time: the share beyond the threshold
    {measure: fallback share, at_least: 95%}              a share
    {measure: spend, at_most: 0.5}                        dollars; tokens: a number
    {measure: recovered within, at_most: 10s, after: outage}

What a plug-in measures has an explicit form only, whose `measure` is the name that the plug-in gives it.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from harness.errors import did_you_mean
from harness.model.metric_query import parse_metric_query
from harness.model.objective import TIMES, Kind, Quantity
from harness.model.units import parse_duration_ns, parse_share_ratio

_PERCENTILE = re.compile(r"\s*p(\d{1,2}(?:\.\d)?)\s*(<=|<)\s*(.+?)\s*")
_SHARE = re.compile(r"\s*(<=|<|>=|>)\s*(.+?)\s*")
_MONEY = re.compile(r"\s*(<=|<)\s*\$\s*(\d+(?:\.\d+)?)\s*")
_PLANNED = re.compile(r"\s*(<=|<)\s*(\d+(?:\.\d+)?)\s*[x×]\s*planned\s*")
_NUMBER = re.compile(r"\s*(<=|<)\s*(\d[\d_]*)\s*")
_BURN = re.compile(r"\s*(<=|<)\s*(\d+(?:\.\d+)?)\s+over\s+(\S+)\s+and\s+(\S+)\s+of\s+(\S+)\s*")

BASE_IDS: Mapping[Quantity, str] = {
    Quantity.LATENCY: "latency",
    Quantity.TTFT: "ttft",
    Quantity.ITL: "itl",
    Quantity.TPOT: "tpot",
    Quantity.REFUSAL_LATENCY: "refusal-latency",
    Quantity.RECOVERY: "recovered",
    Quantity.DETECTION: "detected",
    Quantity.TO_FALLBACK: "fallback-within",
    Quantity.TO_PRIMARY: "primary-again",
    Quantity.BURN_RATE: "burn-rate",
}
"""How ids begin where that is not the quantity's own name with hyphens."""

CEILINGS = frozenset(
    {
        Quantity.ERROR_SHARE,
        Quantity.BREAKAGE,
        Quantity.DEGRADED_SHARE,
        Quantity.SILENT_BREAKAGE,
        Quantity.FALSE_CLAIMS,
        Quantity.PAID_TWICE,
    }
)
FLOORS = frozenset({Quantity.AVAILABILITY, Quantity.GOODPUT, Quantity.JOINED_SHARE, Quantity.LOGGED_SHARE})
SHARES = CEILINGS | FLOORS | {Quantity.FALLBACK_SHARE, Quantity.REFUSAL_SHARE, Quantity.CACHE_HIT_RATE, Quantity.ANSWERED_SHARE}
DURATIONS = frozenset({Quantity.RECOVERY, Quantity.DETECTION, Quantity.TO_FALLBACK, Quantity.TO_PRIMARY})
RULES = frozenset({Quantity.LOG_RULE, Quantity.ANSWER_RULE})
WHOLE_RUN = RULES | {
    Quantity.SPEND,
    Quantity.COST_PER_QUERY,
    Quantity.TOKENS,
    Quantity.STREAM_INTEGRITY,
    Quantity.ORDER,
    Quantity.SERVER_METRIC,
}
NEVERS: Mapping[Quantity, str] = {Quantity.STREAM_INTEGRITY: "never broken", Quantity.ORDER: "never changed"}
"""The one form of each invariant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortForm:
    """What a form says, before phases and selectors. limit_of_planned: factor of the planned spend."""

    base_id: str
    kind: Kind
    quantity: Quantity
    op: str
    limit: float
    threshold_ns: int | None = None
    permille: int | None = None
    limit_of_planned: float | None = None
    expression: str | None = None
    slo: float | None = None
    windows_ns: tuple[int, int] | None = None


def parse_short_form(quantity: Quantity, text: str) -> ShortForm:
    """Return what a short form says. Raises ValueError that shows the form expected."""
    if quantity in TIMES:
        return _percentile(quantity, text)
    if quantity in SHARES:
        return _bounded_share(quantity, *_share(text), text)
    if quantity in DURATIONS or quantity is Quantity.LONGEST_WAIT:
        return _duration(quantity, text)
    return _OTHERS[quantity](text)


def parse_explicit(quantity: Quantity, threshold_ns: int | None, at_most: object, at_least: object) -> ShortForm:
    """Return what an explicit form says. Raises ValueError."""
    if (at_most is None) == (at_least is None):
        raise ValueError("the explicit form takes `at_most` or `at_least`, one of the two")
    op, limit = ("<=", at_most) if at_least is None else (">=", at_least)
    if quantity in TIMES:
        if threshold_ns is None or op == ">=":
            raise ValueError(f"{quantity} is explicit as `threshold: 5s, at_most: 5%`: the share that may be slower")
        ratio = parse_share_ratio(limit)
        permille = round((1 - ratio) * 1000)
        return ShortForm(
            base_id=f"{base_id(quantity)}-p{permille / 10:g}".replace(".", "-"),
            kind=Kind.RATIO,
            quantity=quantity,
            op="<=",
            limit=ratio,
            threshold_ns=threshold_ns,
            permille=min(max(permille, 1), 1000),
        )
    if threshold_ns is not None:
        raise ValueError(f"`threshold` belongs to a time ({', '.join(sorted(TIMES))}), not to {quantity}")
    if quantity in SHARES:
        return _bounded_share(quantity, op, parse_share_ratio(limit), f"{op} {limit}")
    if op == ">=":
        raise ValueError(f"{quantity} has a ceiling only: write `at_most`")
    if quantity in DURATIONS or quantity is Quantity.LONGEST_WAIT:
        return _duration(quantity, limit)
    if quantity in (Quantity.SPEND, Quantity.COST_PER_QUERY, Quantity.TOKENS):
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not math.isfinite(limit) or limit < 0:
            raise ValueError(f"`at_most` is {limit!r}; {quantity} takes a number of at least 0")
        return ShortForm(base_id=base_id(quantity), kind=Kind.BUDGET, quantity=quantity, op="<=", limit=float(limit))
    raise ValueError(f"{quantity} has a short form only; see `harness list objectives`")


def parse_extension(name: str, kind: Kind, threshold_ns: int | None, at_most: object, at_least: object) -> ShortForm:
    """Return what an objective of a plug-in says. kind: RATIO for a share, BUDGET for a figure. Raises ValueError."""
    if (at_most is None) == (at_least is None):
        raise ValueError("an objective of a plug-in takes `at_most` or `at_least`, one of the two")
    if threshold_ns is not None:
        raise ValueError("`threshold` belongs to a time of the harness's own")
    op, limit = ("<=", at_most) if at_least is None else (">=", at_least)
    if kind is Kind.RATIO:
        bound = parse_share_ratio(limit)
    elif isinstance(limit, bool) or not isinstance(limit, int | float) or not math.isfinite(limit):
        raise ValueError(f"the limit is {limit!r}; {name} takes a number")
    else:
        bound = float(limit)
    return ShortForm(base_id=name.replace(" ", "-"), kind=kind, quantity=Quantity.EXTENSION, op=op, limit=bound, expression=name)


def quantity_of(name: str, known: Mapping[str, Quantity]) -> Quantity:
    """Return the quantity that `measure` names. Raises ValueError with what there is."""
    if name not in known:
        raise ValueError(f"{name!r} is nothing that can be measured; there is {', '.join(known)}{did_you_mean(name, known)}")
    return known[name]


def base_id(quantity: Quantity) -> str:
    """Return how the ids of a quantity's objectives begin."""
    return BASE_IDS.get(quantity, str(quantity.value).replace(" ", "-"))


def _percentile(quantity: Quantity, text: str) -> ShortForm:
    match = _PERCENTILE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a percentile bound; write 'p95 < 5s'")
    permille = round(float(match[1]) * 10)
    if permille == 0:
        raise ValueError(f"{text!r}: p0 bounds nothing; write p50 to p99.9")
    return ShortForm(
        base_id=f"{base_id(quantity)}-p{match[1].replace('.', '-')}",
        kind=Kind.RATIO,
        quantity=quantity,
        op="<=",
        limit=(1000 - permille) / 1000,
        threshold_ns=parse_duration_ns(match[3]),
        permille=permille,
    )


def _share(text: str) -> tuple[str, float]:
    match = _SHARE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a bounded share; write '< 5%' or '> 95%'")
    return match[1][0] + "=", parse_share_ratio(match[2])


def _bounded_share(quantity: Quantity, op: str, ratio: float, text: str) -> ShortForm:
    article = "an" if quantity.value[0] in "aeiou" else "a"
    if quantity in CEILINGS and op != "<=":
        raise ValueError(f"{text!r} bounds {article} {quantity} from below; write a ceiling: '< 5%'")
    if quantity in FLOORS and op != ">=":
        raise ValueError(f"{text!r} bounds {article} {quantity} from above; write a floor: '> 95%'")
    return ShortForm(base_id=base_id(quantity), kind=Kind.RATIO, quantity=quantity, op=op, limit=ratio)


def _duration(quantity: Quantity, text: object) -> ShortForm:
    limit_ns = parse_duration_ns(text)
    return ShortForm(base_id=base_id(quantity), kind=Kind.DURATION, quantity=quantity, op="<=", limit=float(limit_ns))


def _spend(text: str) -> ShortForm:
    if match := _MONEY.fullmatch(text):
        return ShortForm(base_id="spend", kind=Kind.BUDGET, quantity=Quantity.SPEND, op="<=", limit=float(match[2]))
    if match := _PLANNED.fullmatch(text):
        factor = float(match[2])
        return ShortForm(base_id="spend", kind=Kind.BUDGET, quantity=Quantity.SPEND, op="<=", limit=0.0, limit_of_planned=factor)
    raise ValueError(f"{text!r} is not a spending limit; write '<= $0.50' or '<= 1.2 x planned'")


def _cost_per_query(text: str) -> ShortForm:
    if (match := _MONEY.fullmatch(text)) is None:
        raise ValueError(f"{text!r} is not a limit in dollars; write '<= $0.002'")
    quantity = Quantity.COST_PER_QUERY
    return ShortForm(base_id=base_id(quantity), kind=Kind.BUDGET, quantity=quantity, op="<=", limit=float(match[2]))


def _tokens(text: str) -> ShortForm:
    if (match := _NUMBER.fullmatch(text)) is None:
        raise ValueError(f"{text!r} is not a limit in tokens; write '<= 200000'")
    return ShortForm(base_id="tokens", kind=Kind.BUDGET, quantity=Quantity.TOKENS, op="<=", limit=float(match[2]))


def _burn_rate(text: str) -> ShortForm:
    if (match := _BURN.fullmatch(text)) is None:
        raise ValueError(f"{text!r} is not a burn rate; write '< 14.4 over 30s and 5s of 99.9%'")
    slo = parse_share_ratio(match[5])
    long_ns, short_ns = parse_duration_ns(match[3]), parse_duration_ns(match[4])
    if not 0 < slo < 1:
        raise ValueError(f"{match[5]} leaves no error budget; write a share below 100%: 99.9%")
    if not 0 < short_ns < long_ns:
        raise ValueError(f"{text!r}: the first window is the long one; write 'over 30s and 5s'")
    return ShortForm(
        base_id=base_id(Quantity.BURN_RATE),
        kind=Kind.BUDGET,
        quantity=Quantity.BURN_RATE,
        op="<=",
        limit=float(match[2]),
        slo=slo,
        windows_ns=(long_ns, short_ns),
    )


def _server_metric(text: str) -> ShortForm:
    parse_metric_query(text)
    quantity = Quantity.SERVER_METRIC
    return ShortForm(base_id=base_id(quantity), kind=Kind.BUDGET, quantity=quantity, op="<=", limit=0.0, expression=text.strip())


def _rule(quantity: Quantity, text: str) -> ShortForm:
    word, _, pattern = text.strip().partition(" ")
    forms = ("never", "some") if quantity is Quantity.LOG_RULE else ("never",)
    if word not in forms or not pattern.strip():
        raise ValueError(f"{text!r} is no rule; write {' or '.join(repr(f'{form} PATTERN') for form in forms)}")
    try:
        compiled = re.compile(pattern.strip())
    except re.error as error:
        raise ValueError(f"{pattern.strip()!r} is no regular expression: {error}") from None
    if compiled.search("") is not None:
        raise ValueError(f"{pattern.strip()!r} matches every line, the empty one too")
    kind, op, limit = (Kind.INVARIANT, "<=", 0.0) if word == "never" else (Kind.CHECK, ">=", 1.0)
    return ShortForm(base_id=base_id(quantity), kind=kind, quantity=quantity, op=op, limit=limit, expression=pattern.strip())


def _never(quantity: Quantity, text: str) -> ShortForm:
    if text.strip() != NEVERS[quantity]:
        raise ValueError(f"{text!r} is no invariant; write {NEVERS[quantity]!r}")
    return ShortForm(base_id=base_id(quantity), kind=Kind.INVARIANT, quantity=quantity, op="<=", limit=0.0)


_OTHERS: Mapping[Quantity, Callable[[str], ShortForm]] = {
    Quantity.SERVER_METRIC: _server_metric,
    Quantity.LOG_RULE: partial(_rule, Quantity.LOG_RULE),
    Quantity.ANSWER_RULE: partial(_rule, Quantity.ANSWER_RULE),
    Quantity.SPEND: _spend,
    Quantity.COST_PER_QUERY: _cost_per_query,
    Quantity.TOKENS: _tokens,
    Quantity.BURN_RATE: _burn_rate,
    **{quantity: partial(_never, quantity) for quantity in NEVERS},
}
