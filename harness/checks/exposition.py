"""Prometheus' text form, as far as checks need it: samples with their labels."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_LINE = re.compile(r"([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?\s*")
_LABEL = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSample:
    """One line: its name, labels and value."""

    name: str
    labels: Mapping[str, str]
    value: float


def samples_in(text: str) -> Iterator[MetricSample]:
    """Yield each sample of an exposition; comments and lines that are none are left out."""
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        try:
            value = float(match[3])
        except ValueError:
            continue
        labels = {name: _ESCAPE.sub(lambda m: {"n": "\n"}.get(m[1], m[1]), raw) for name, raw in _LABEL.findall(match[2] or "")}
        yield MetricSample(name=match[1], labels=labels, value=value)
