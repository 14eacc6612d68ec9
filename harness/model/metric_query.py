"""What a server says of itself, as one comparison over its scrapes.

    query      ::= side compare side ["within" share]
    compare    ::= "<=" | "<" | ">=" | ">" | "="
    side       ::= term [("/" | "*") term]
    term       ::= number | client | function "(" selection ")"
    function   ::= "increase" | "sum" | "max" | "min" | "count"
    selection  ::= name ["{" label ("=" | "!=" | "=~" | "!~") '"' text '"' {"," ...} "}"]
    client     ::= "requests" | "answers" | "refusals" | "fallbacks" | "provider_calls" | "provider_tokens" | "provider_dollars"

    increase(http_request_duration_seconds_count{status_code=~"4.."}) = refusals within 5%
    increase(http_request_duration_seconds_sum) / increase(http_request_duration_seconds_count) < 5
    count(http_request_duration_seconds_bucket{le="5.0"}) >= 1

increase: from the first scrape to the last, over a restart too, summed over series and instances. sum, count: of the last
scrape. max, min: of all scrapes. A client term is what was counted on our side, over the whole run and all that was sent, by
checks too.
"""

import enum
import math
import re
from dataclasses import dataclass

from harness.model.units import parse_share_ratio


class Function(enum.StrEnum):
    """What is made of the values that a selection finds."""

    INCREASE = "increase"
    SUM = "sum"
    MAX = "max"
    MIN = "min"
    COUNT = "count"


class Client(enum.StrEnum):
    """What we, or the provider, counted: the other side of a comparison."""

    REQUESTS = "requests"  # that were answered with any status
    ANSWERS = "answers"
    REFUSALS = "refusals"
    FALLBACKS = "fallbacks"
    PROVIDER_CALLS = "provider_calls"
    PROVIDER_TOKENS = "provider_tokens"
    PROVIDER_DOLLARS = "provider_dollars"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """One label that must be so. op: `=`, `!=`, `=~` or `!~`; a pattern must fit the whole value, as in PromQL."""

    label: str
    op: str
    text: str

    def fits(self, value: str) -> bool:
        """Return whether a label's value is as asked; a label that is not there is empty."""
        found = re.fullmatch(self.text, value) is not None if "~" in self.op else value == self.text
        return found is not self.op.startswith("!")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A function of the series of one name whose labels fit."""

    function: Function
    name: str
    matchers: tuple[Matcher, ...] = ()


Term = float | Client | Selected


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """`first`, or `first op second` with `/` or `*`."""

    first: Term
    op: str | None = None
    second: Term | None = None

    @property
    def terms(self) -> tuple[Term, ...]:
        """The one or two terms."""
        return (self.first,) if self.second is None else (self.first, self.second)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricQuery:
    """One comparison. within: how far `=` may be off, as a share of the right side."""

    left: Side
    op: str
    right: Side
    within: float = 0.0


_COMPARE = re.compile(r"\s(<=|>=|<|>|=)\s")
_WITHIN = re.compile(r"^(.*?)\s+within\s+(\S+)\s*$")
_ARITHMETIC = re.compile(r"\s([/*])\s")
_CALL = re.compile(r"(\w+)\(\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{(.*)\})?\s*\)")
_MATCHER = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"([^"]*)"\s*(?:,|$)')


def parse_metric_query(text: str) -> MetricQuery:
    """Return what a query asks. Raises ValueError that says what is wrong with it."""
    within = 0.0
    if (tolerance := _WITHIN.match(text)) is not None:
        text, within = tolerance[1], parse_share_ratio(tolerance[2])
    parts = _COMPARE.split(text)
    if len(parts) != 3:
        raise ValueError(f"{text!r} compares nothing, or more than once; write 'increase(NAME) <= 5'")
    if within and parts[1] != "=":
        raise ValueError(f"`within` belongs to `=`, not to `{parts[1]}`")
    query = MetricQuery(left=_side(parts[0]), op=parts[1], right=_side(parts[2]), within=within)
    if not any(isinstance(term, Selected) for side in (query.left, query.right) for term in side.terms):
        raise ValueError(f"{text!r} asks no metric of the server; write 'increase(NAME) <= 5'")
    return query


def _side(text: str) -> Side:
    parts = _ARITHMETIC.split(text)
    if len(parts) == 1:
        return Side(first=_term(parts[0]))
    if len(parts) == 3:
        return Side(first=_term(parts[0]), op=parts[1], second=_term(parts[2]))
    raise ValueError(f"{text.strip()!r}: one `/` or `*` at most")


def _term(text: str) -> Term:
    text = text.strip()
    if (call := _CALL.fullmatch(text)) is not None:
        if call[1] not in set(Function):
            raise ValueError(f"{call[1]!r} is no function; there is {', '.join(Function)}")
        return Selected(function=Function(call[1]), name=call[2], matchers=_matchers(call[3] or ""))
    if text in set(Client):
        return Client(text)
    try:
        number = float(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no number, no function of a metric ({', '.join(Function)}) "
            f"and nothing that is counted here ({', '.join(Client)})"
        ) from None
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is no number to compare with")
    return number


def _matchers(text: str) -> tuple[Matcher, ...]:
    found: list[Matcher] = []
    at = 0
    while at < len(text.rstrip()):
        if (match := _MATCHER.match(text, at)) is None:
            raise ValueError(f'{text[at:]!r} is no label matcher; write status_code=~"5.."')
        if "~" in match[2]:
            try:
                re.compile(match[3])
            except re.error as error:
                raise ValueError(f"{match[3]!r} is no pattern: {error}") from None
        found.append(Matcher(label=match[1], op=match[2], text=match[3]))
        at = match.end()
    return tuple(found)
