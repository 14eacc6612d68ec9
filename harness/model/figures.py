"""Figures as people read them, in verdicts and reports alike; never rounded onto the limit that they were compared with."""

import math

NOTHING = "–"
"""Stands where there is no figure."""

NOISE_USD = 1e-9
"""A hundredth of what one token of the cheapest model costs: what is below it came from adding floats, and is nothing."""


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


def dollars(value_usd: float | None, *, against: float | None = None) -> str:
    """Return money with at least cents; below a dollar with up to four decimals, below a cent with three significant digits.

    Less than `NOISE_USD` either way is `$0.00`.
    """
    if value_usd is None or math.isnan(value_usd):
        return NOTHING
    if math.isinf(value_usd):
        return "∞" if value_usd > 0 else "-∞"
    if abs(value_usd) < NOISE_USD:
        return "$0.00"
    sign, size_usd = "-" if value_usd < 0 else "", abs(value_usd)
    fewest = 2 if size_usd >= 1 else max(4, 2 - math.floor(math.log10(size_usd)))
    for digits in range(fewest, fewest + 6):
        text = _cents(size_usd, digits)
        if against is None or value_usd == against or text != _cents(abs(against), digits):
            return f"{sign}${text}"
    return f"{sign}${size_usd:.9g}"


def plural(value: int, one: str, many: str | None = None) -> str:
    """Return `1 request`, `1,200 requests`."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def _cents(value_usd: float, digits: int) -> str:
    whole, _, decimals = f"{value_usd:,.{digits}f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def _trimmed(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
