"""Quantities as people write them."""

import pytest

from harness.model.units import format_duration, parse_duration_ns, parse_rate_rps, parse_share_ratio


@pytest.mark.parametrize(
    ("text", "ns"),
    [("250ms", 250_000_000), ("30s", 30_000_000_000), ("1.5m", 90_000_000_000), ("1h", 3_600_000_000_000), ("0s", 0)],
)
def test_a_duration_is_a_number_and_a_unit(text: str, ns: int) -> None:
    assert parse_duration_ns(text) == ns


@pytest.mark.parametrize("text", ["", "30", 30, None, "-3s", "3 parsecs", "1s2s", "٣s s", True, "1e3s"])
def test_anything_else_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration_ns(text)


def test_a_rate_is_per_second_whatever_the_unit() -> None:
    assert parse_rate_rps("20/s") == 20
    assert parse_rate_rps("600/m") == 10


@pytest.mark.parametrize("text", ["20", "0/s", "-1/s", "20/h", 20, "20 / s / s"])
def test_anything_else_is_no_rate(text: object) -> None:
    with pytest.raises(ValueError):
        parse_rate_rps(text)


def test_a_share_is_a_percentage_or_a_ratio() -> None:
    assert parse_share_ratio("5%") == 0.05
    assert parse_share_ratio(0.05) == 0.05


@pytest.mark.parametrize("text", [5, "5", "101%", -0.1, True, None, "nan%"])
def test_a_bare_five_is_refused_because_it_could_mean_either(text: object) -> None:
    with pytest.raises(ValueError):
        parse_share_ratio(text)


@pytest.mark.parametrize(
    ("ns", "text"),
    [(812e6, "812 ms"), (4.3e9, "4.3 s"), (30e9, "30 s"), (125e9, "2 min 5 s"), (180e9, "3 min")],
)
def test_durations_are_shown_in_the_unit_that_reads_best(ns: float, text: str) -> None:
    assert format_duration(ns) == text
