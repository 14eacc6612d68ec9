"""A comparison in words: the same for the terminal and for the page."""

import math
from typing import TYPE_CHECKING

from harness.report.numbers import in_unit, percent

if TYPE_CHECKING:
    from harness.compare.compare import Comparison, Difference
    from harness.report.comparison import ComparedRow


def rows_of(comparison: "Comparison") -> "list[ComparedRow]":
    """Return every difference in words."""
    from harness.report.comparison import ComparedRow

    return [
        ComparedRow(
            name=f"{each.phase} {each.quantity}",
            finding=each.finding.value,
            base=_told(each.base.value, each.unit),
            new=_told(each.new.value, each.unit),
            told=f"{_signed(each.value, each)} (between {_signed(each.low, each)} and {_signed(each.high, each)})",
            matters=_told(each.effect, each.unit),
            times=_times(each),
        )
        for each in comparison.differences
    ]


def sentence_of(comparison: "Comparison") -> str:
    """Return what the comparison came to, and how sure it is."""
    return f"{comparison.finding.value}; each interval at {percent(comparison.confidence)} so that all hold together at 95 %"


def _times(each: "Difference") -> tuple[float, float, float] | None:
    """Return the difference in multiples of what matters; None where nothing would matter, or it never came in either."""
    if not each.effect > 0 or math.isnan(each.value) or math.isinf(each.effect):
        return None
    return each.value / each.effect, each.low / each.effect, each.high / each.effect


def _told(value: float, unit: str) -> str:
    return "never" if math.isinf(value) else in_unit(value, unit)


def _signed(value: float, each: "Difference") -> str:
    """Return a difference, no finer than a hundredth of what matters, so that a reader weighs digits that mean something."""
    if math.isinf(value):
        return "+∞" if value > 0 else "-∞"
    if each.effect > 0 and math.isfinite(each.effect):
        value = round(value, 2 - math.floor(math.log10(each.effect)))
    text = in_unit(abs(value), each.unit)
    if not any(digit in text for digit in "123456789"):
        return text  # nothing has no sign
    return f"{'-' if value < 0 else '+'}{text}"
