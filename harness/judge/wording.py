"""Figures inside the sentences of a verdict; never rounded onto the limit that they were compared with."""

from collections.abc import Mapping

from harness.model.units import NS_PER_S, format_duration


def percent(ratio: float, *, against: float | None = None) -> str:
    """Return a ratio as `3 %`, with as many digits as it takes to tell it from `against`."""
    for digits in range(1, 8):
        text = _trimmed(ratio * 100, digits)
        if against is None or ratio == against or text != _trimmed(against * 100, digits):
            break
    return f"{text} %"


def seconds(value_s: float) -> str:
    """Return seconds as `812 ms` or `4.3 s`."""
    return format_duration(value_s * NS_PER_S)


def dollars(value_usd: float) -> str:
    """Return money with four significant digits below a dollar."""
    return f"${value_usd:,.2f}" if abs(value_usd) >= 1 or value_usd == 0 else f"${value_usd:.4g}"


def count(value: int, one: str, many: str | None = None) -> str:
    """Return `1 request`, `1,200 requests`."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def tally(counts: Mapping[str, int], *, most: int = 3) -> str:
    """Return `34 timeout, 6 error`, the greatest first."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{number:,} {name}" for name, number in ranked[:most])


def _trimmed(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
