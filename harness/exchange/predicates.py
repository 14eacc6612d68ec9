"""Signals against one answer: what a predicate finds, and whether it holds."""

import functools
import re
from collections.abc import Mapping, Sequence

import msgspec

from harness.model.signals import Comparison, Predicate, RefusalRule, Where

Scalar = str | int | float | bool
# A member asked of its enum costs a call each time, and every signal is looked for in every answer.
_HEADER, _JSON, _CHUNK = Where.HEADER, Where.JSON, Where.CHUNK
_PRESENT, _EQUALS, _MATCHES, _ABOVE = Comparison.PRESENT, Comparison.EQUALS, Comparison.MATCHES, Comparison.ABOVE
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


class Evidence(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What predicates look at: lower-case headers and the JSON documents of the body (each chunk of a stream)."""

    status_code: int
    headers: Mapping[bytes, bytes]
    documents: Sequence[object] = ()

    def find(self, predicate: Predicate) -> Scalar | None:
        """Return the value at a predicate's place, the first one that is there; None where there is none.

        LOG and METRIC are not part of an answer: nothing is found there.
        """
        where = predicate.where
        if where is _HEADER:
            value = self.headers.get(_header_name(predicate.key))
            return None if value is None else value.decode("latin-1").strip()
        if where is _JSON or where is _CHUNK:
            for document in self.documents:
                found = walk(document, predicate.key)
                if found is not None:
                    return found
        return None

    def holds(self, predicate: Predicate) -> bool:
        """Return True when the value is there and compares as told."""
        found = self.find(predicate)
        return found is not None and compares(found, predicate.comparison, predicate.value)

    def refused_by(self, rule: RefusalRule) -> bool:
        """Return True when the status is listed and the rule's predicate, if any, holds."""
        return self.status_code in rule.status and (rule.predicate is None or self.holds(rule.predicate))


def compares(found: Scalar, comparison: Comparison, value: Scalar | None) -> bool:
    """Compare a found value as a predicate asks; text from a header compares with numbers and booleans by meaning."""
    if comparison is _PRESENT:
        return True
    if comparison is _EQUALS:
        return _equals(found, value)
    if comparison is _MATCHES:
        return _pattern(str(value)).search(_text(found)) is not None
    number, limit = number_of(found), number_of(value)
    if number is None or limit is None:
        return False
    return number > limit if comparison is _ABOVE else number < limit


def number_of(value: Scalar | None) -> float | None:
    """Return a finite number for a number or a text that is one; None for anything else."""
    if value is None or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < float("inf") else None


def _equals(found: Scalar, value: Scalar | None) -> bool:
    if isinstance(value, bool) or isinstance(found, bool):
        return _text(found).lower() == _text(value).lower() if value is not None else False
    if isinstance(value, int | float):
        return number_of(found) == value
    return _text(found) == value


def _text(value: Scalar | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


@functools.lru_cache(maxsize=256)
def _header_name(key: str) -> bytes:
    return key.lower().encode("latin-1", "replace")


@functools.lru_cache(maxsize=256)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@functools.lru_cache(maxsize=256)
def _steps(path: str) -> tuple[str | int, ...]:
    return tuple(name or int(index) for name, index in _STEP.findall(path.removeprefix("$")))


def walk(document: object, path: str) -> Scalar | None:
    """Return the scalar at a path such as `$.error.code` or `$.choices[0].index`; null counts as not there."""
    for step in _steps(path):
        if isinstance(step, str) and isinstance(document, dict):
            document = document.get(step)
        elif isinstance(step, int) and isinstance(document, list) and step < len(document):
            document = document[step]
        else:
            return None
    return document if isinstance(document, str | int | float | bool) else None
