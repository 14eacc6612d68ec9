"""The one predicate of a description: where to look, what to find there, what must hold of it."""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.model.metric_query import parse_metric_query
from harness.model.signals import Comparison, Predicate, RefusalRule, Where

_PLACES = ("header", "json", "chunk", "log", "metric")
_TESTS = ("equals", "matches", "above", "below")
_PATH = re.compile(r"\$(\.[^.\[\]\s]+|\[\d+\])+")
Scalar = str | int | float | bool


class SignalDocument(BaseModel):
    """`{header: x-cache, equals: HIT}`; without a test any value will do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    header: str | None = None
    json_: Annotated[str | None, Field(alias="json")] = None
    chunk: str | None = None
    log: str | None = None
    metric: str | None = None
    equals: Scalar | None = None
    matches: str | None = None
    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _one_place_and_one_test(self) -> "SignalDocument":
        places = [name for name in _PLACES if self._given(name) is not None]
        if len(places) != 1:
            raise ValueError(f"a signal names one place ({', '.join(_PLACES)}); this one names {' and '.join(places) or 'none'}")
        self._check()
        return self

    def _check(self) -> None:
        tests = [name for name in _TESTS if self._given(name) is not None]
        if len(tests) > 1:
            raise ValueError(f"a signal has one test ({', '.join(_TESTS)}); this one has {' and '.join(tests)}")
        if self.log is not None or self.metric is not None:
            self._check_told_over_the_run(tests)
        path = self.json_ or self.chunk
        if path is not None and _PATH.fullmatch(path) is None:
            raise ValueError(f"{path!r} is no JSON path; write $.error.code or $.choices[0].index")
        if self.matches is not None:
            try:
                re.compile(self.matches)
            except re.error as error:
                raise ValueError(f"matches: {self.matches!r} is no regular expression: {error}") from None

    def _check_told_over_the_run(self, tests: list[str]) -> None:  # noqa: ARG002 - a claim looks at them
        raise ValueError(
            "`log` and `metric` tell of a whole run and of no single answer: they stand in `signals.fallback`, `cache`, `cost` "
            "and `degraded` only"
        )

    def _given(self, name: str) -> Scalar | None:
        value: Scalar | None = getattr(self, "json_" if name == "json" else name)
        return value

    def predicate(self) -> Predicate | None:
        """Return the predicate; None where no place is named."""
        place = next((name for name in _PLACES if self._given(name) is not None), None)
        if place is None:
            return None
        test = next((name for name in _TESTS if self._given(name) is not None), None)
        comparison = Comparison.PRESENT if test is None else Comparison(test)
        value = None if test is None else self._given(test)
        return Predicate(where=Where(place), key=str(self._given(place)), comparison=comparison, value=value)


class ClaimDocument(SignalDocument):
    """A signal that may also be told over a whole run: `{log: "falling back"}`, `{metric: 'fallbacks_total{kind="model"}'}`.

    log: a pattern; a line that it is found in is once, and of a cost its first group is the figure. metric: a counter and,
    in braces, its labels; what it grew by.
    """

    def _check_told_over_the_run(self, tests: list[str]) -> None:
        if tests:
            raise ValueError(f"`log` and `metric` are counted, not tested: leave out `{tests[0]}`")
        if self.log is not None:
            try:
                re.compile(self.log)
            except re.error as error:
                raise ValueError(f"log: {self.log!r} is no regular expression: {error}") from None
        if self.metric is not None:
            parse_metric_query(f"increase({self.metric}) >= 0")


class RuleDocument(SignalDocument):
    """`{status: [400, 429], json: $.error.type, equals: budget_exceeded}`; the place is optional."""

    status: Annotated[list[Annotated[int, Field(ge=100, le=599)]], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_place_and_one_test(self) -> "RuleDocument":
        places = [name for name in _PLACES if self._given(name) is not None]
        if len(places) > 1:
            raise ValueError(f"a rule names one place ({', '.join(_PLACES)}) or none; this one names {' and '.join(places)}")
        if not places and any(self._given(name) is not None for name in _TESTS):
            raise ValueError(f"a test needs a place to look at: {', '.join(_PLACES)}")
        self._check()
        return self

    def rule(self) -> RefusalRule:
        """Return the rule."""
        return RefusalRule(status=tuple(self.status), predicate=self.predicate())
