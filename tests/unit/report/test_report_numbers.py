import pytest

from harness.report import numbers


@pytest.mark.parametrize(
    ("ratio", "against", "text"),
    [
        (0.05, None, "5 %"),
        (0.0025, None, "0.25 %"),
        (0.049999, 0.05, "4.9999 %"),
        (0.05, 0.05, "5 %"),
        (0.9500001, 0.95, "95.00001 %"),
        (1.0, None, "100 %"),
        (None, None, "–"),
        (float("nan"), None, "–"),
    ],
)
def test_a_share_is_never_rounded_onto_its_limit(ratio: float | None, against: float | None, text: str) -> None:
    assert numbers.percent(ratio, against=against) == text


@pytest.mark.parametrize(
    ("value_s", "against", "text"),
    [(0.812, None, "812 ms"), (4.31, None, "4.31 s"), (5.0004, 5.0, "5.0004 s"), (0.0, None, "0 ms"), (float("inf"), None, "∞"),
     (None, None, "–"), (97.4, None, "97.4 s"), (1.0, None, "1 s")],
)  # fmt: skip
def test_seconds_read_well_and_are_told_from_their_limit(value_s: float | None, against: float | None, text: str) -> None:
    assert numbers.seconds(value_s, against=against) == text


@pytest.mark.parametrize(
    ("value_usd", "against", "text"),
    [(1.5, None, "$1.50"), (0.0461, None, "$0.0461"), (0.0, None, "$0.00"), (0.000012, None, "$0.000012"), (1234.5, None, "$1,234.50"),
     (0.15001, 0.15, "$0.15001"), (None, None, "–"), (-0.5, None, "-$0.50"), (2e-9, None, "$0.000000002"),
     (2.17e-19, None, "$0.00"), (-3e-20, None, "$0.00"), (float("inf"), None, "∞")],
)  # fmt: skip
def test_money_is_never_rounded_to_nothing_or_onto_its_limit(value_usd: float | None, against: float | None, text: str) -> None:
    assert numbers.dollars(value_usd, against=against) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(1.2, "s", "1.2 s"), (1200, "ms", "1.2 s"), (2_000_000, "ns", "2 ms"), (0.05, "ratio", "5 %"), (5, "%", "5 %"),
     (0.5, "USD", "$0.50"), (7, "tokens", "7 tokens"), (7, "", "7"), (None, "s", "–")],
)  # fmt: skip
def test_a_figure_is_written_in_its_own_unit(value: float | None, unit: str, text: str) -> None:
    assert numbers.in_unit(value, unit) == text
