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
            told=f"{_told(each.value, each.unit, signed=True)} (between {_told(each.low, each.unit, signed=True)} "
            f"and {_told(each.high, each.unit, signed=True)})",
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


def _told(value: float, unit: str, *, signed: bool = False) -> str:
    if math.isinf(value):
        return ("+∞" if value > 0 else "-∞") if signed else "never"
    sign = ("+" if value >= 0 else "-") if signed else ""
    return f"{sign}{in_unit(abs(value), unit)}"
