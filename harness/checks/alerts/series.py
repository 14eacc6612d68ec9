"""The scrapes of a run as the series of a `promtool test rules` file."""

import re
from collections.abc import Iterable, Sequence

from harness.checks.exposition import samples_in
from harness.rundir.scrapes import Scrape

_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")


def series_of(scrapes: Sequence[Scrape], rules: str, *, every_ns: int, until_ns: int) -> tuple[int, dict[str, str]]:
    """Return how many moments there are, and each series that the rules may ask for, with its values.

    A moment is `every_ns` long and has the last scrape that falls into it; `_` where there was none. `up` is 1 where an
    instance answered. Series: `name{label="value"}` to `1 2 _ 3`, as promtool writes them.
    """
    wanted = set(_NAME.findall(rules))
    kept = [scrape for scrape in scrapes if scrape.at_ns <= until_ns]
    if not kept:
        return 0, {}
    first = min(scrape.at_ns for scrape in kept)
    moments = 1 + max((scrape.at_ns - first) // every_ns for scrape in kept)
    found: dict[str, list[str]] = {}
    for scrape in sorted(kept, key=lambda each: each.at_ns):
        moment = (scrape.at_ns - first) // every_ns
        target = [("instance", scrape.instance), ("job", "gateway")]
        _put(found, _written("up", target), moment, moments, 1.0 if scrape.problem is None else 0.0)
        for sample in samples_in(scrape.text):
            if sample.name in wanted:
                labels = [*sample.labels.items(), *target]
                _put(found, _written(sample.name, labels), moment, moments, sample.value)
    return moments, {name: " ".join(values) for name, values in found.items()}


def _put(found: dict[str, list[str]], name: str, moment: int, moments: int, value: float) -> None:
    found.setdefault(name, ["_"] * moments)[moment] = f"{value:.17g}" if value == value else "NaN"  # noqa: PLR0124 - NaN


def _written(name: str, labels: Iterable[tuple[str, str]]) -> str:
    quoted = ",".join(f'{label}="{_escaped(value)}"' for label, value in sorted(labels))
    return f"{name}{{{quoted}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
