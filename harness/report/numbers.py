"""Numbers as people read them. A figure is never rounded onto the limit that it was compared with."""

import math
from collections.abc import Mapping
from typing import Protocol

NOTHING = "–"
"""Stands where there is no figure."""


def percent(ratio: float | None, *, against: float | None = None) -> str:
    """Return a ratio as `0.25 %`, with as many digits as it takes to tell it from `against`."""
    if ratio is None or math.isnan(ratio):
        return NOTHING
    for digits in range(2, 7):
        text = _trimmed(ratio * 100, digits)
        if against is None or ratio == against or text != _trimmed(against * 100, digits):
            return f"{text} %"
    return f"{ratio * 100:.6g} %"


def seconds(value_s: float | None, *, against: float | None = None) -> str:
    """Return seconds as `812 ms`, `4.31 s` or `125 s`."""
    if value_s is None or math.isnan(value_s):
        return NOTHING
    if math.isinf(value_s):
        return "∞"
    if abs(value_s) < 1:
        return f"{value_s * 1000:.3g} ms" if abs(value_s) >= 1e-6 else "0 ms"
    for digits in range(2, 7):
        text = _trimmed(value_s, digits)
        if against is None or value_s == against or text != _trimmed(against, digits):
            return f"{text} s"
    return f"{value_s:.9g} s"


def milliseconds(value_ms: float | None) -> str:
    """Return milliseconds in the same forms as `seconds`."""
    return NOTHING if value_ms is None else seconds(value_ms / 1000)


def moment(value_ns: int | None) -> str:
    """Return a moment from the run's zero as `35.02 s`."""
    return NOTHING if value_ns is None else moment_s(value_ns / 1e9)


def moment_s(value_s: float | None) -> str:
    """Return a moment in seconds from the run's zero as `35.02 s`."""
    return NOTHING if value_s is None else f"{value_s:.2f} s"


def dollars(value_usd: float | None, *, against: float | None = None) -> str:
    """Return money with at least cents; below a dollar with four decimals, below a cent with three significant digits."""
    if value_usd is None or math.isnan(value_usd):
        return NOTHING
    fewest = 2 if abs(value_usd) >= 1 or value_usd == 0 else max(4, 2 - math.floor(math.log10(abs(value_usd))))
    for digits in range(fewest, fewest + 6):
        text = f"{value_usd:,.{digits}f}"
        if against is None or value_usd == against or text != f"{against:,.{digits}f}":
            return f"${text}"
    return f"${value_usd:.3g}"


def count(value: float | None) -> str:
    """Return a count with thousands separated."""
    return NOTHING if value is None else f"{value:,.0f}"


def plural(value: int, one: str, many: str | None = None) -> str:
    """Return `1 request`, `1,200 requests`."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


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


def _trimmed(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
