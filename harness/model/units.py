"""The quantities that people write: durations, rates, shares and money.

duration  ::= number ("ns" | "us" | "ms" | "s" | "m" | "h")        "30s", "1.5m"
rate      ::= number "/" ("s" | "m")                               "20/s"
share     ::= number "%" | number in 0..1                          "5%", 0.05
"""

import re

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000

_NS_PER_UNIT = {"ns": 1, "us": 1_000, "ms": NS_PER_MS, "s": NS_PER_S, "m": 60 * NS_PER_S, "h": 3600 * NS_PER_S}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ns|us|ms|s|m|h)\s*")
_RATE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*/\s*(s|m)\s*")
_PERCENT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")


def parse_duration_ns(text: object) -> int:
    """Return a duration in nanoseconds. Raises ValueError on anything but `number unit`."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write a number and a unit: 250ms, 30s, 5m, 1h")
    return round(float(match[1]) * _NS_PER_UNIT[match[2]])


def parse_rate_rps(text: object) -> float:
    """Return a rate in requests per second. Raises ValueError on anything but `number/s` or `number/m`."""
    match = _RATE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a rate; write a number above 0 per second or minute: 20/s, 600/m")
    rate_rps = float(match[1]) / (1 if match[2] == "s" else 60)
    if rate_rps <= 0:
        raise ValueError(f"the rate {text!r} is not above 0")
    return rate_rps


def parse_share_ratio(text: object) -> float:
    """Return a share as a ratio in 0..1. Raises ValueError outside it; 5 without `%` is refused as ambiguous."""
    if isinstance(text, str) and (match := _PERCENT.fullmatch(text)):
        ratio = float(match[1]) / 100
    elif isinstance(text, int | float) and not isinstance(text, bool):
        ratio = float(text)
    else:
        raise ValueError(f"{text!r} is not a share; write a percentage or a number in 0..1: 5%, 0.05")
    if not 0 <= ratio <= 1:
        raise ValueError(f"the share {text!r} is not within 0..1; write a percentage: 5%")
    return ratio


def format_duration(duration_ns: float) -> str:
    """Return a duration for people: `812 ms`, `4.3 s`, `2 min 5 s`."""
    seconds = duration_ns / NS_PER_S
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
