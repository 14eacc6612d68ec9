"""What the server counted, from its scrapes: selections, increases over restarts, sums over series and instances."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.model.metric_query import Function, Matcher, Selected
from harness.rundir.scrapes import Scrape

_LINE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?\s*")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')
_ESCAPED = re.compile(r"\\(.)")

Series = tuple[str, tuple[tuple[str, str], ...]]
"""A series within one instance's scrape: its name, and its labels in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a selection came to. value: None where nothing of that name was ever seen. series: how many fitted."""

    value: float | None
    series: int


class Scrapes:
    """The scrapes of a run, parsed once. Lines that are no exposition are left out."""

    def __init__(self, scrapes: Sequence[Scrape]) -> None:
        good = sorted((s for s in scrapes if s.problem is None), key=lambda s: s.at_ns)
        self._parsed = [(scrape.instance, dict(series_of(scrape.text))) for scrape in good]
        self.count = len(good)
        self.failed = len(scrapes) - len(good)

    def names(self) -> list[str]:
        """Return the name of every metric that was seen."""
        return sorted({name for _, values in self._parsed for name, _ in values})

    def find(self, selected: Selected) -> Found:
        """Return what a selection comes to over the run."""
        known = any(name == selected.name for _, values in self._parsed for name, _ in values)
        histories = self._histories(selected)
        if not known:
            return Found(value=0.0 if selected.function is Function.COUNT and self.count else None, series=0)
        return Found(value=self._made(selected.function, histories), series=len(histories))

    def _made(self, function: Function, histories: Mapping[tuple[str, Series], Sequence[float]]) -> float | None:
        match function:
            case Function.INCREASE:
                return self.increase(histories)
            case Function.SUM:
                return sum(self.last(histories))
            case Function.COUNT:
                return float(len(self.last(histories)))
            case Function.MAX:
                return max((max(history) for history in histories.values()), default=None)
            case Function.MIN:
                return min((min(history) for history in histories.values()), default=None)

    def _histories(self, selected: Selected) -> dict[tuple[str, Series], list[float]]:
        """Return for each series that fits its values, one for each scrape of its instance that has it."""
        histories: dict[tuple[str, Series], list[float]] = {}
        for instance, values in self._parsed:
            for series, value in values.items():
                if series[0] == selected.name and fits(dict(series[1]), selected.matchers):
                    histories.setdefault((instance, series), []).append(value)
        return histories

    def increase(self, histories: Mapping[tuple[str, Series], Sequence[float]]) -> float:
        """Return by how much counters grew. One that was not there at its instance's first scrape began at nought."""
        first: dict[str, dict[Series, float]] = {}
        for instance, scraped in self._parsed:
            first.setdefault(instance, scraped)
        grown = 0.0
        for (instance, series), history in histories.items():
            before = first[instance].get(series, 0.0)
            for value in history:
                grown += value - before if value >= before else value  # a counter that fell was started again
                before = value
        return grown

    def last(self, histories: Mapping[tuple[str, Series], Sequence[float]]) -> list[float]:
        """Return the value of each series in its instance's last scrape; one that is gone from there is left out."""
        newest = dict(self._parsed)
        return [newest[instance][series] for instance, series in histories if series in newest[instance]]


def fits(labels: Mapping[str, str], matchers: Iterable[Matcher]) -> bool:
    """Return whether labels are as every matcher asks."""
    return all(matcher.fits(labels.get(matcher.label, "")) for matcher in matchers)


def series_of(text: str) -> Iterator[tuple[Series, float]]:
    """Yield each series of an exposition with its value; what is no exposition is left out."""
    for line in text.splitlines():
        if line.startswith("#") or (match := _LINE.fullmatch(line)) is None:
            continue
        try:
            value = float(match[3])
        except ValueError:
            continue
        labels = tuple((key, _ESCAPED.sub(_unescaped, told)) for key, told in _LABEL.findall(match[2] or ""))
        if not math.isnan(value):  # the server has no figure yet
            yield (match[1], tuple(sorted(labels))), value


def _unescaped(match: re.Match[str]) -> str:
    return "\n" if match[1] == "n" else match[1]
