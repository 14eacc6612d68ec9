from pathlib import Path

import pytest
from report_fixtures import failing_run, hostile_run

from harness.report import write_reports
from harness.report.markdown import plain


def _markdown(run: object) -> str:
    return write_reports(run, ["md"])[0].read_text("utf-8")  # type: ignore[arg-type]


def test_it_is_short_and_says_verdict_reason_results_and_how_to_repeat(tmp_path: Path) -> None:
    text = _markdown(failing_run(tmp_path / "run"))
    assert text.startswith("## ✗ FAIL: provider-outage\n\n**Latency-p95 failed in outage: 561 of 600")
    assert "| ? INCONCLUSIVE | error-rate: \\< 5% | outage |" in text
    assert "harness run scenarios/provider-outage.yaml --target embedded --seed 1" in text
    assert len(text) < 4000


def test_every_row_of_the_table_has_as_many_cells_as_its_head_whatever_the_target_wrote(tmp_path: Path) -> None:
    text = _markdown(hostile_run(tmp_path / "run"))
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) > 20
    assert {line.replace("\\|", "").count("|") for line in rows} == {6}


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("<img src=x>", "\\<img src=x\\>"),
        ("[a](b)", "\\[a\\](b)"),
        ("a|b", "a\\|b"),
        ("`code`", "\\`code\\`"),
        ("https://evil.invalid", "https\\://evil.invalid"),
        ("www.evil.invalid", "www\\.evil.invalid"),
        ("&lt;", "\\&lt;"),
        ("hey @everyone", "hey @\u200beveryone"),
        ("\n# heading", "\\\\n\\# heading"),
        ("=1+1", "'=1+1"),
    ],
)
def test_markup_links_and_mentions_lose_their_meaning(text: str, safe: str) -> None:
    assert plain(text) == safe
