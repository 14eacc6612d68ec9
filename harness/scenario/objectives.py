"""The short forms of objectives, and their grammar.

    latency              ::= percentile op duration                  "p95 < 5s"
    time to first token  ::= percentile op duration                  "p95 < 2s"
    error rate           ::= op share                                "< 5%"
    fallback share       ::= op share                                "> 95%"
    recovered within     ::= duration                                "10s"     (needs `after: PHASE`)
    spend                ::= op money                                "<= $0.50"
                           | op number "x planned"                   "<= 1.2 x planned"
    percentile           ::= "p" number                              "p50", "p99.9"
    op                   ::= "<" | "<=" | ">" | ">="

A latency percentile is a share: `p95 < 5s` is "at most 5 % of the eligible requests slower than 5 s or not answered".
`<` and `<=` are the same bound: shares and times are continuous.
"""

import re
from dataclasses import dataclass

from harness.model.objective import Kind, Quantity
from harness.model.units import parse_duration_ns, parse_share_ratio

_PERCENTILE = re.compile(r"\s*p(\d{1,2}(?:\.\d)?)\s*(<=|<)\s*(.+?)\s*")
_SHARE = re.compile(r"\s*(<=|<|>=|>)\s*(.+?)\s*")
_MONEY = re.compile(r"\s*(<=|<)\s*\$\s*(\d+(?:\.\d+)?)\s*")
_PLANNED = re.compile(r"\s*(<=|<)\s*(\d+(?:\.\d+)?)\s*[x×]\s*planned\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortForm:
    """What a short form says, before phases and selectors. limit_of_planned: factor of the planned spend."""

    base_id: str
    kind: Kind
    quantity: Quantity
    op: str
    limit: float
    threshold_ns: int | None = None
    permille: int | None = None
    limit_of_planned: float | None = None


def parse_short_form(quantity: Quantity, text: str) -> ShortForm:
    """Return what a short form says. Raises ValueError that shows the form expected."""
    if quantity in (Quantity.LATENCY, Quantity.TTFT):
        return _percentile(quantity, text)
    if quantity is Quantity.ERROR_SHARE:
        op, ratio = _share(text)
        if op != "<=":
            raise ValueError(f"{text!r} bounds an error rate from below; write a ceiling: '< 5%'")
        return ShortForm(base_id="error-rate", kind=Kind.RATIO, quantity=quantity, op=op, limit=ratio)
    if quantity is Quantity.FALLBACK_SHARE:
        op, ratio = _share(text)
        return ShortForm(base_id="fallback-share", kind=Kind.RATIO, quantity=quantity, op=op, limit=ratio)
    if quantity is Quantity.RECOVERY:
        limit_ns = parse_duration_ns(text)
        return ShortForm(base_id="recovered", kind=Kind.DURATION, quantity=quantity, op="<=", limit=float(limit_ns))
    return _spend(text)


def _percentile(quantity: Quantity, text: str) -> ShortForm:
    match = _PERCENTILE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a percentile bound; write 'p95 < 5s'")
    permille = round(float(match[1]) * 10)
    if permille == 0:
        raise ValueError(f"{text!r}: p0 bounds nothing; write p50 to p99.9")
    name = "latency" if quantity is Quantity.LATENCY else "ttft"
    return ShortForm(
        base_id=f"{name}-p{match[1].replace('.', '-')}",
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


def _spend(text: str) -> ShortForm:
    if match := _MONEY.fullmatch(text):
        return ShortForm(base_id="spend", kind=Kind.BUDGET, quantity=Quantity.SPEND, op="<=", limit=float(match[2]))
    if match := _PLANNED.fullmatch(text):
        factor = float(match[2])
        return ShortForm(base_id="spend", kind=Kind.BUDGET, quantity=Quantity.SPEND, op="<=", limit=0.0, limit_of_planned=factor)
    raise ValueError(f"{text!r} is not a spending limit; write '<= $0.50' or '<= 1.2 x planned'")
