"""A run as families of metrics, before any format.

Client metrics carry OpenTelemetry's GenAI names and mean what those mean: the actual clock, answers and failures alike.
What the harness judges is beside them under its own name: `harness.response.duration`, from the intended start, of
every request that was due; one that was not answered counts in +Inf, since it never ended well.

Buckets are ours. The conventions' own jump from 2.56 s to 5.12 s, so an objective of 5 s could not be read from them;
every threshold of the plan is a boundary here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.measure.reading import Reading
from harness.measure.requests import Floats, Mask
from harness.model.judgement import Verdict
from harness.model.outcome import Result

SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0, 20.0, 30.0, 60.0)
TOKENS = (1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0)

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Counts of a distribution. counts: one for each bound (not cumulative) and one beyond the last; total: of the finite."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One series of a family."""

    labels: Labels
    value: float | Histogram


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Metrics of one name, in OpenTelemetry's spelling. unit: UCUM. kind: `histogram`, `sum` or `gauge`."""

    name: str
    unit: str
    kind: str
    help: str
    points: tuple[Point, ...]


def families_of(reading: Reading, verdict: Verdict) -> list[Family]:
    """Return every family of a run that has a point. Raises RunDirectoryError."""
    found = [
        _counts(reading),
        _judged(reading),
        _operation(reading),
        _first_chunk(reading),
        _tokens(reading),
        _cost(reading),
        *_verdict(verdict),
    ]
    return [family for family in found if family.points]


def _counts(reading: Reading) -> Family:
    r = reading.requests
    points = [
        Point(labels={"phase": phase, "user.class": each, "result": result}, value=float(count))
        for phase, inside in _phases(reading)
        for each in r.user_class.names
        for result, count in r.result.counts(inside & r.user_class.is_in([each])).items()
    ]
    return _family("harness.requests", "{request}", "sum", "Intended requests by what became of them, unsent ones too.", points)


def _judged(reading: Reading) -> Family:
    r = reading.requests
    points = [
        Point(labels={"phase": phase, "user.class": each}, value=_histogram(r.response_ns[chosen] / 1e9, _seconds(reading)))
        for phase, inside in _phases(reading)
        for each in r.user_class.names
        if np.any(chosen := inside & r.due & r.user_class.is_in([each]))
    ]
    told = "Intended start to the end of the answer, of every request due; what was not answered is beyond every bound."
    return _family("harness.response.duration", "s", "histogram", told, points)


def _operation(reading: Reading) -> Family:
    r = reading.requests
    took = (r.ended_ns - r.started_ns) / 1e9
    points = []
    for labels, inside in _models(reading):
        for result in r.result.names:
            if np.any(chosen := inside & r.result.is_in([result]) & ~np.isnan(took)):
                error = {} if result == Result.ANSWERED else {"error.type": result}
                points.append(Point(labels=labels | error, value=_histogram(took[chosen], _seconds(reading))))
    told = "Actual start to the end of a request that was sent; error.type is its outcome where that is no answer."
    return _family("gen_ai.client.operation.duration", "s", "histogram", told, points)


def _first_chunk(reading: Reading) -> Family:
    r = reading.requests
    took = (r.first_content_ns - r.started_ns) / 1e9
    points = [
        Point(labels=labels, value=_histogram(took[chosen], _seconds(reading)))
        for labels, inside in _models(reading)
        if np.any(chosen := inside & r.streamed & ~np.isnan(took))
    ]
    told = "Actual start to the first chunk with content, of streams."
    return _family("gen_ai.client.operation.time_to_first_chunk", "s", "histogram", told, points)


def _tokens(reading: Reading) -> Family:
    r = reading.requests
    points = []
    for kind, column in (("input", "prompt_tokens"), ("output", "completion_tokens")):
        used = r.columns.floats(column)
        for labels, inside in _models(reading):
            if np.any(chosen := inside & ~np.isnan(used)):
                points.append(Point(labels=labels | {"gen_ai.token.type": kind}, value=_histogram(used[chosen], TOKENS)))
    return _family("gen_ai.client.token.usage", "{token}", "histogram", "Tokens that an answer's usage names.", points)


def _cost(reading: Reading) -> Family:
    r = reading.requests
    points = [
        Point(labels={"phase": phase}, value=float(np.nansum(r.metered_cost_usd[inside])))
        for phase, inside in _phases(reading)
        if np.any(~np.isnan(r.metered_cost_usd[inside]))
    ]
    return _family("harness.cost", "USD", "sum", "Dollars by the provider's own records.", points)


def _verdict(verdict: Verdict) -> Iterator[Family]:
    results = [
        Point(
            labels={
                "objective": each.id,
                "phase": each.phase or "",
                "severity": each.severity.value,
                "status": each.status.value,
            },
            value=1.0,
        )
        for each in verdict.results
    ]
    yield _family("harness.result", "1", "gauge", "Each result; always 1, its status is a label.", results)
    run = [Point(labels={"verdict": verdict.verdict.value, "scenario": verdict.scenario.name}, value=1.0)]
    yield _family("harness.verdict", "1", "gauge", "The verdict; always 1.", run)
    valid = [Point(labels={}, value=float(verdict.instrument.valid))]
    yield _family("harness.instrument.valid", "1", "gauge", "1 where the instrument was fit, 0 where the run is invalid.", valid)


def _phases(reading: Reading) -> Iterator[tuple[str, Mask]]:
    """Yield each phase with the ordinary load that was intended in it."""
    r = reading.requests
    for phase in reading.plan.phases:
        yield phase.name, r.mix & (r.intended_ns >= phase.start_ns) & (r.intended_ns < phase.end_ns)


def _models(reading: Reading) -> Iterator[tuple[dict[str, str], Mask]]:
    """Yield GenAI's attributes with the requests that they describe, phase by phase, model by model."""
    r = reading.requests
    common = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": reading.plan.target.name}
    for phase, inside in _phases(reading):
        for model in r.model.names:
            yield common | {"gen_ai.request.model": model, "phase": phase}, inside & r.model.is_in([model])
        yield common | {"gen_ai.request.model": "unknown", "phase": phase}, inside & (r.model.codes < 0)


def _seconds(reading: Reading) -> tuple[float, ...]:
    """Return the bounds of durations, with every threshold of the plan among them."""
    asked = {each.threshold_ns / 1e9 for each in reading.plan.objectives if each.threshold_ns is not None}
    return tuple(sorted({*SECONDS, *asked}))


def _histogram(values: Floats, bounds: Sequence[float]) -> Histogram:
    """Count values into buckets; a value on a bound is below it, as Prometheus has it."""
    counts = np.bincount(np.searchsorted(bounds, values, side="left"), minlength=len(bounds) + 1)
    return Histogram(
        bounds=tuple(bounds), counts=tuple(int(each) for each in counts), total=float(values[np.isfinite(values)].sum())
    )


def _family(name: str, unit: str, kind: str, told: str, points: Sequence[Point]) -> Family:
    return Family(name=name, unit=unit, kind=kind, help=told, points=tuple(points))
