"""Numbers as people read them. A figure is never rounded onto the limit that it was compared with."""

from collections.abc import Mapping
from typing import Protocol

from harness.model.figures import NOTHING, dollars, percent, plural, seconds

__all__ = ["NOTHING", "count", "dollars", "in_unit", "milliseconds", "moment", "moment_s", "percent", "plural", "seconds"]


def milliseconds(value_ms: float | None) -> str:
    """Return milliseconds in the same forms as `seconds`."""
    return NOTHING if value_ms is None else seconds(value_ms / 1000)


def moment(value_ns: int | None) -> str:
    """Return a moment from the run's zero as `35.02 s`."""
    return NOTHING if value_ns is None else moment_s(value_ns / 1e9)


def moment_s(value_s: float | None) -> str:
    """Return a moment in seconds from the run's zero as `35.02 s`."""
    return NOTHING if value_s is None else f"{value_s:.2f} s"


def count(value: float | None) -> str:
    """Return a count with thousands separated."""
    return NOTHING if value is None else f"{value:,.0f}"


def in_unit(value: float | None, unit: str, *, against: float | None = None) -> str:
    """Return a figure in the unit of a `Shown`: `s`, `ms`, `ns`, `ratio`, `%`, `USD`, or any other written behind it."""
    if value is None:
        return NOTHING
    if unit not in _UNITS:
        return f"{value:,.6g} {unit}".rstrip()
    scale, form = _UNITS[unit]
    return form(value / scale, against=None if against is None else against / scale)


class _Form(Protocol):
    def __call__(self, value: float | None, /, *, against: float | None = None) -> str: ...


_UNITS: Mapping[str, tuple[float, _Form]] = {
    "s": (1, seconds),
    "ms": (1e3, seconds),
    "ns": (1e9, seconds),
    "ratio": (1, percent),
    "share": (1, percent),
    "%": (100, percent),
    "USD": (1, dollars),
    "usd": (1, dollars),
    "$": (1, dollars),
}
