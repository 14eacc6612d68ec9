"""What a foreign target's logs and metrics say of a whole run, against the provider's records. Findings only, as in `claims`.

No single answer is meant, so the figures are held against a lower and an upper one: a gateway may count an attempt that
nobody was answered by, or a probe of ours, and neither is a lie.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.judge.texts import log_lines
from harness.judge.wording import count, dollars
from harness.measure.reading import Reading
from harness.measure.scrapes import Scrapes
from harness.measure.truth import CallBooks
from harness.model.judgement import Judgement, Status, Test
from harness.model.metric_query import Selected, parse_metric_query
from harness.model.objective import Kind, Severity
from harness.model.signals import Predicate, Where

TOLERANCE_RATIO = 0.05
"""A line that was not flushed, a scrape a moment too early: a twentieth is no lie."""
TARGET_LOGS = ("service", "instance-*")
"""What the target wrote; the other files in `logs/` are the harness's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bounds:
    """Between what a true figure lies; None where nothing bounds it there. low_is, high_is: what they are, in words."""

    low: float | None
    high: float | None
    low_is: str = ""
    high_is: str = ""


def judge_run_claims(reading: Reading, calls: CallBooks) -> list[Judgement]:
    """Return a result for each signal that is told over a whole run. Raises RunDirectoryError."""
    return [_judged(reading, calls, name, part) for name, part in reading.plan.signals.over_the_run.items()]


def _judged(reading: Reading, calls: CallBooks, name: str, predicate: Predicate) -> Judgement:
    found = _counted(reading, predicate) if predicate.where is Where.METRIC else _written(reading, predicate, name)
    where = f"{predicate.where.value} {predicate.key!r}"
    if isinstance(found, str):
        return _result(name, Status.NOT_APPLICABLE, f"{where}: {found}", None, None)
    bounds = _bounds(reading, calls, name)
    said = _figure(name, found)
    if bounds.low is None and bounds.high is None:
        return _result(name, Status.NOT_APPLICABLE, f"{where} says {said}; nothing else tells of it", found, None)
    if not found and not bounds.low:
        return _result(name, Status.NOT_APPLICABLE, f"{where} says {said}, and there was nothing to tell", found, None)
    if bounds.low is not None and found < bounds.low * (1 - TOLERANCE_RATIO):
        reason = f"{where} says {said}, less than the provider's records: {_figure(name, bounds.low)} {bounds.low_is}"
        return _result(name, Status.WARN, reason, found, bounds.low)
    if bounds.high is not None and found > bounds.high * (1 + TOLERANCE_RATIO):
        reason = f"{where} says {said}, more than the provider's records: {_figure(name, bounds.high)} {bounds.high_is}"
        return _result(name, Status.WARN, reason, found, bounds.high)
    return _result(name, Status.PASS, f"{where} says {said}, as the provider's records do", found, bounds.low)


def _bounds(reading: Reading, calls: CallBooks, name: str) -> _Bounds:
    requests = reading.requests
    match name:
        case "fallback":
            answered = int(np.count_nonzero(requests.answered & (requests.columns.floats("metered_fallback") == 1)))
            asked = calls.to_endpoint("secondary", -np.inf, np.inf)
            return _Bounds(low=answered, high=asked, low_is="answers of the second model", high_is="calls of the second model")
        case "cost":
            # Of an attempt that was broken off only the provider knows the bill, so that a careful service books more.
            high = None if reading.plan.faults else calls.cost_usd
            return _Bounds(low=calls.cost_usd, high=high, low_is="billed", high_is="billed")
        case "cache":
            without = int(np.count_nonzero(requests.answered & (reading.calls_per_request == 0)))
            return _Bounds(low=None, high=without, high_is="answers without a call of the model")
        case _:
            return _Bounds(low=None, high=None)


def _counted(reading: Reading, predicate: Predicate) -> float | str:
    scrapes = Scrapes(reading.run.scrapes())
    selected = parse_metric_query(f"increase({predicate.key}) >= 0").left.first
    assert isinstance(selected, Selected)
    if scrapes.count < 2:
        return "fewer than two scrapes were kept, so nothing can be counted"
    found = scrapes.find(selected).value
    return "no scrape has a metric of that name" if found is None else found


def _written(reading: Reading, predicate: Predicate, name: str) -> float | str:
    figures, looked = list[float](), 0
    pattern = re.compile(predicate.key)
    for _, _, line in log_lines(reading, TARGET_LOGS):
        looked += 1
        figures.extend(_told(pattern, line, is_sum=name == "cost"))
    return sum(figures) if looked else "there is no log line to look at"


def _told(pattern: re.Pattern[str], line: str, *, is_sum: bool) -> Iterator[float]:
    match = pattern.search(line)
    if match is None:
        return
    if not is_sum:
        yield 1.0
        return
    try:
        figure = float(match[1] or "")
    except ValueError:
        return
    if abs(figure) < float("inf"):
        yield figure


def _figure(name: str, value: float) -> str:
    return dollars(value) if name == "cost" else count(int(value), "time") if value == int(value) else f"{value:,.4g}"


def _result(name: str, status: Status, reason: str, found: float | None, limit: float | None) -> Judgement:
    test = None
    if found is not None and limit is not None:
        test = Test(quantity="claimed_over_the_run", op="==", limit=limit, value=found, n=1)
    return Judgement(
        id=f"claimed-{name}",
        kind=Kind.CHECK,
        severity=Severity.WARN,
        status=status,
        reason=reason,
        written=f"what its logs or metrics say of {name}",
        test=test,
    )
