"""How to read a target's answer: one predicate everywhere, first match wins.

A predicate names where to look (`where`, `key`) and what must hold there (`test`, `value`).
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.model.outcome import Refusal, Source


class Where(enum.StrEnum):
    """What a predicate looks at."""

    HEADER = "header"
    JSON = "json"
    LOG = "log"
    METRIC = "metric"
    CHUNK = "chunk"


class Comparison(enum.StrEnum):
    """What must hold of the value found. PRESENT holds for any value."""

    EQUALS = "equals"
    MATCHES = "matches"
    ABOVE = "above"
    BELOW = "below"
    PRESENT = "present"


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicate:
    """`{header: x-cache, equals: HIT}`: true when the value at `where`/`key` exists and compares as told.

    key: a header's name (any case), or a JSON path of the form `$.error.code`.
    """

    where: Where
    key: str
    comparison: Comparison = Comparison.PRESENT
    value: str | float | bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRule:
    """One way to recognise a refusal: the status is listed and the predicate, if any, holds."""

    status: tuple[int, ...]
    predicate: Predicate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Everything that turns bytes into an outcome for one target.

    sources: first match wins, in the order given; an answer that matches none is `primary`.
    refusals: first match wins, in the order given; an error status that matches none is an error.
    cost: the predicate's value is the claimed cost in dollars. cache: text of the cache header, kept as it is.
    over_the_run: `fallback`, `degraded`, `cache` or `cost` to a LOG or METRIC predicate: what is told of a whole run and of no
        single answer. A log's key is a pattern (of a cost, its first group is the figure), a metric's is a selection.
    answer, prompt_tokens, completion_tokens: JSON paths of an answer that is no chat completion: where its text stands,
        without which it is no answer, and what it says of its own tokens.
    """

    sources: tuple[tuple[Source, Predicate], ...] = ()
    refusals: tuple[tuple[Refusal, RefusalRule], ...] = ()
    shed: tuple[RefusalRule, ...] = ()
    fallback: Predicate | None = None
    degraded: Predicate | None = None
    cache: Predicate | None = None
    cost: Predicate | None = None
    over_the_run: Mapping[str, Predicate] = field(default_factory=dict)
    answer: str | None = None
    prompt_tokens: str | None = None
    completion_tokens: str | None = None
    correlation_header: str | None = "x-request-id"
    labels: Mapping[str, str] = field(default_factory=dict)
