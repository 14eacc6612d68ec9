"""A comparison in words: no digits that mean nothing, and no sign before nothing."""

import math

import pytest

from harness.cli.compared_text import rows_of
from harness.compare.compare import Comparison, Difference, Finding
from harness.compare.intervals import Figure


def told(unit: str, base: float, new: float, low: float, high: float, effect: float) -> tuple[str, str, str]:
    each = Difference(
        phase="all phases", quantity="figure", unit=unit, base=Figure(value=base, low=base, high=base, n=9),
        new=Figure(value=new, low=new, high=new, n=9), value=new - base, low=low, high=high, effect=effect, finding=Finding.NOT_WORSE,
    )  # fmt: skip
    run = Comparison(base="a", new="b", base_version=None, new_version=None, confidence=0.99, differences=(each,), notes=())
    (row,) = rows_of(run)
    return row.base, row.new, row.told


@pytest.mark.parametrize(("unit", "base", "new", "low", "high", "effect", "expected"), [
    ("USD", 2e-5, 2e-5 + 2.17e-19, -3.2e-8, 3.1e-8, 2e-6, ("$0.00002", "$0.00002", "$0.00 (between -$0.00000003 and +$0.00000003)")),
    ("USD", 0.0, 2.17e-19, 0.0, 1e-18, 0.0, ("$0.00", "$0.00", "$0.00 (between $0.00 and $0.00)")),
    ("s", 1.2, 1.2345678, -0.0000004, 0.0812345, 0.12, ("1.2 s", "1.23 s", "+35 ms (between 0 ms and +81 ms)")),
    ("ratio", 0.01, 0.0, -0.0123456, 0.0, 0.01, ("1 %", "0 %", "-1 % (between -1.23 % and 0 %)")),
    ("s", 2.0, math.inf, 0.5, math.inf, 0.2, ("2 s", "never", "+∞ (between +500 ms and +∞)")),
])  # fmt: skip
def test_a_difference_is_told_no_finer_than_a_hundredth_of_what_matters(
    unit: str, base: float, new: float, low: float, high: float, effect: float, expected: tuple[str, str, str]
) -> None:
    assert told(unit, base, new, low, high, effect) == expected
