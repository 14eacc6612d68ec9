import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_fixtures import HOSTILE

from harness.report import harmless, visible


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("plain text, 5 % – ünïcödé 漢字", "plain text, 5 % – ünïcödé 漢字"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\tc\x00", "a\\nb\\tc\\x00"),
        ("\x7f\x9b", "\\x7f\\x9b"),
        ("safe\u202egnp.exe", "safe\\u202egnp.exe"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_a_character_that_acts_is_shown_instead(given_text: str, shown: str) -> None:
    assert visible(given_text) == shown


@given(st.text(st.characters(codec=None), max_size=200))
def test_what_is_shown_has_no_control_bidi_or_invisible_character(text: str) -> None:
    assert {unicodedata.category(c) for c in visible(text)} & {"Cc", "Cf", "Cs", "Zl", "Zp"} == set()


def test_a_long_text_is_cut_and_says_by_how_much() -> None:
    assert visible("x" * 1500, longest=500) == "x" * 500 + "… (1,000 more characters)"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "  =1"])
def test_a_formula_is_defused_before_a_spreadsheet_sees_it(text: str) -> None:
    assert harmless(text) == f"'{text}"


def test_the_corpus_holds_every_kind_of_hostility_that_the_reports_are_tested_with() -> None:
    everything = "".join(HOSTILE)
    for mark in ("<script", "onerror", "javascript:", "https://", "=HYPERLINK", "\u202e", "\x1b[", "\x00", "{{", "|", "]]>"):
        assert mark in everything
