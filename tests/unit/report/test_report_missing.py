from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from report_fixtures import healthy_run, make_cdf, make_plan, make_requests, make_timeline, make_verdict, write_run

from harness.report import write_reports
from harness.rundir import RunDirectory

PARTS = ("verdict.json", "journal.jsonl", "measurements/summary.json", "measurements/timeline.parquet",
         "measurements/requests.parquet", "measurements/cdf.parquet")  # fmt: skip

DRAWN_WITHOUT = {"verdict.json", "measurements/summary.json", "measurements/timeline.parquet", "measurements/cdf.parquet"}
"""What plots are drawn from: drawing takes a second, so it is left out where it cannot tell of the part that is missing."""


def _texts(run: RunDirectory) -> tuple[str, str, str]:
    html, markdown, junit = (path.read_text("utf-8") for path in write_reports(run))
    return html, markdown, junit


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_missing_is_told_and_the_rest_is_shown(tmp_path: Path, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if part not in DRAWN_WITHOUT:
        monkeypatch.setattr("harness.report.page.draw_plots", lambda *_: {})
    run = healthy_run(tmp_path / "run")
    (run.path / part).unlink()
    html, markdown, _ = _texts(run)
    assert f"{part} is missing" in html
    assert f"{part} is missing" in markdown.replace("\\", "")


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_damaged_is_told_and_the_rest_is_shown(tmp_path: Path, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.report.page.draw_plots", lambda *_: {})  # a damaged part is a missing one to them, drawn above
    run = healthy_run(tmp_path / "run")
    (run.path / part).write_bytes(b"\x00garbage\n")
    assert f"{part} cannot be read" in _texts(run)[0]


def test_a_run_cut_short_before_anything_was_measured_still_has_reports_that_never_look_green(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "run")
    run.write_plan(make_plan(clock=None))
    html, markdown, junit = _texts(run)
    assert "NOT JUDGED" in html
    assert "NOT JUDGED" in markdown
    assert '<error type="missing"' in junit
    assert "harness run scenarios/provider-outage.yaml" in html


def test_a_directory_with_nothing_at_all_still_has_reports(tmp_path: Path) -> None:
    assert "NOT JUDGED" in _texts(RunDirectory(tmp_path))[0]


@pytest.mark.parametrize("rows", [0, 1])
def test_tables_of_no_row_or_one_are_drawn_or_said_to_be_empty(tmp_path: Path, rows: int) -> None:
    run = write_run(tmp_path / "run", make_verdict(), requests=make_requests().slice(0, rows))
    pq.write_table(make_timeline().slice(0, rows), run.measurements / "timeline.parquet")
    pq.write_table(make_cdf().slice(0, rows), run.measurements / "cdf.parquet")
    html = _texts(run)[0]
    assert ("Not drawn" in html) == (rows == 0)
    assert ("No request is recorded" in html) == (rows == 0)


def test_a_timeline_without_one_answer_is_drawn(tmp_path: Path) -> None:
    table = make_timeline()
    for name in ("response_p50_s", "response_p95_s", "response_p99_s", "lag_p99_ms", "loop_lag_p99_ms", "cpu_ratio", "spend_usd"):
        table = table.set_column(table.column_names.index(name), name, pa.nulls(table.num_rows, pa.float64()))
    run = healthy_run(tmp_path / "run")
    pq.write_table(table, run.measurements / "timeline.parquet")
    assert 'id="timeline"' in _texts(run)[0]


def test_a_table_with_a_column_too_few_is_told_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.report.page.draw_plots", lambda *_: {})  # such a table is a missing one to them
    run = healthy_run(tmp_path / "run")
    pq.write_table(make_timeline().drop_columns(["cpu_ratio"]), run.measurements / "timeline.parquet")
    assert "it has no column cpu_ratio" in _texts(run)[0]
