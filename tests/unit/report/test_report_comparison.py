"""The page of a comparison: what differs in multiples of what matters, hostile text as text, nothing made up."""

import math
from dataclasses import replace

import pytest
from report_fixtures import HOSTILE, make_cdf

from harness.report.comparison import ComparedRow, ComparedRuns, render_comparison
from harness.report.plots.compared import draw_both, draw_differences
from harness.report.svg import Sheet


def row(name: str, finding: str, times: tuple[float, float, float] | None) -> ComparedRow:
    return ComparedRow(
        name=name, finding=finding, base="1 s", new="2 s", told="+1 s (between +0.5 s and +1.5 s)", matters="0.1 s", times=times
    )


ROWS = (
    row("steady p50", "not worse", (0.2, -0.3, 0.7)),
    row("outage p95", "worse", (3.0, 1.5, 4.5)),
    row("outage bad share", "undecided", (0.5, -4.0, 40.0)),
    row("recovery p95", "worse", (math.inf, 2.0, math.inf)),
    row("recovery p50", "better", (-2.0, -3.0, -1.2)),
)
RUNS = ComparedRuns(
    base="run-a", new="run-b", base_version="v1", new_version="v2", finding="worse", sentence="Worse.", rows=ROWS,
    notes=("both runs had seed 1",), cdf_base=make_cdf(), cdf_new=make_cdf(),
)  # fmt: skip


def test_the_sentence_counts_each_finding_and_names_what_differs_most() -> None:
    drawn = draw_differences(ROWS, Sheet())
    assert drawn is not None
    assert drawn.reading.startswith("Of 5 figures 2 worse, 1 undecided, 1 not worse, 1 better.")
    assert "Furthest to the right: recovery p95" in drawn.reading
    assert all(name in drawn.wide for name in ("steady p50", "outage bad share"))


def test_what_cannot_be_told_in_multiples_is_in_the_table_only() -> None:
    assert draw_differences([row("x", "undecided", None)], Sheet()) is None
    page = render_comparison(replace(RUNS, rows=(row("only in the table", "undecided", None),), cdf_new=None))
    assert "only in the table" in page
    assert "Not drawn: no difference can be told" in page
    assert "Not drawn: one of the runs has no distribution" in page


def test_a_run_without_answers_has_no_curve() -> None:
    empty = make_cdf().slice(0, 0)
    assert draw_both(make_cdf(), empty, Sheet()) is None
    assert draw_both(None, make_cdf(), Sheet()) is None


def test_both_curves_are_told_in_words() -> None:
    drawn = draw_both(make_cdf(), make_cdf(), Sheet())
    assert drawn is not None
    assert (
        "Half of the answers came within 527 ms in the base and 527 ms in the new run, 95 % within 2.64 s and 2.64 s"
        in drawn.reading
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    page = render_comparison(
        replace(RUNS, base=text, new_version=text, notes=(text,), rows=(row(text, "worse", (2.0, 1.0, 3.0)),), cdf_base=None)
    )
    lowered = page.lower()
    assert "<script" not in lowered
    assert "<img" not in lowered
    assert "onload=document" not in lowered or "&lt;svg onload" in lowered
    assert "\x1b" not in page
    assert "\u202e" not in page
