"""The debrief is filled with what was measured, and says what is missing; hostile notes stay text."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from report_fixtures import HOSTILE, healthy_run

from harness.model.journal import Event
from harness.report import write_reports
from harness.report.debrief import render_debrief, was_watched
from harness.report.material import read_material


def test_only_a_run_that_people_watched_gets_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.report.page.draw_plots", lambda *_: {})  # the page is not what is looked at
    run = healthy_run(tmp_path / "run")
    assert "debrief.md" not in [path.name for path in write_reports(run)]
    run.record(Event.NOTE, "Kim", text="the pager went off")
    assert was_watched(run.journal())
    assert "debrief.md" in [path.name for path in write_reports(run)]
    text = (run.path / "debrief.md").read_text()
    assert "note by Kim: the pager went off" in text
    assert "recovered 2.31 s after it was proved clear" in text
    assert "acted 612 times by the proxy's records" in text
    assert "| outage | 590 | 4 |" in text
    assert "harness drill scenarios/provider-outage.yaml" in text


def test_a_note_cannot_become_markup(tmp_path: Path) -> None:
    run = healthy_run(tmp_path / "run")
    for text in HOSTILE:
        run.record(Event.NOTE, text.encode("utf-8", "replace").decode(), text=text.encode("utf-8", "replace").decode())
    document = re.sub(r"\\.", "", render_debrief(read_material(run)))  # without what is escaped
    for acting in ("<script", "<img", "](https", "https://evil", "\x1b", "\u202e", "\n# heading", "\n```"):
        assert acting not in document


def test_what_is_missing_is_said_and_no_figure_is_invented(tmp_path: Path) -> None:
    run = healthy_run(tmp_path / "run")
    material = replace(read_material(run), verdict=None, plan=None, summary=None, missing=("verdict.json is missing.",))
    document = render_debrief(material)
    for told in ("**NOT JUDGED**", "The plan is missing.", "the measurements are missing", "- verdict.json is missing."):
        assert told in document
