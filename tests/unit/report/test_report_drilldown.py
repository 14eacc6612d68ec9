from dataclasses import replace
from pathlib import Path

import pyarrow as pa
from report_fixtures import failing_run, healthy_results, make_requests, make_verdict, write_run

from harness.model.judgement import Evidence
from harness.report.drilldown import MOST_ROWS, MOST_TEXT, choose_rows
from harness.report.material import read_material
from harness.report.page import render_html
from harness.rundir import RunDirectory


def test_evidence_is_listed_even_when_there_are_far_more_bad_requests_than_rows() -> None:
    results = (
        replace(healthy_results()[0], evidence=(Evidence(kind="request", ref="1898"), Evidence(kind="request", ref="junk"))),
    )
    chosen = choose_rows(make_requests(failing=True), make_verdict(results=results))
    assert 1898 in chosen.seqs
    assert len(chosen.rows) <= MOST_ROWS


def test_bad_requests_come_before_good_ones_but_some_good_ones_are_kept() -> None:
    chosen = choose_rows(make_requests(failing=True), None)
    assert len(chosen.rows) == MOST_ROWS
    assert chosen.bad > MOST_ROWS
    assert 200 < chosen.bad_shown < MOST_ROWS - 20


def test_few_bad_requests_are_all_listed() -> None:
    requests = make_requests()
    chosen = choose_rows(requests, None)
    bad = {row["seq"] for row in requests.to_pylist() if row["bad"]}
    assert bad
    assert bad <= chosen.seqs
    assert chosen.bad_shown == chosen.bad == len(bad)


def test_rows_stand_in_the_order_they_were_sent_and_none_twice() -> None:
    seqs = [row.seq for row in choose_rows(make_requests(failing=True), make_verdict()).rows]
    assert seqs == sorted(set(seqs))


def test_a_request_that_was_never_answered_has_no_bar_but_a_row() -> None:
    requests = make_requests(count=1)
    nothing = pa.array([None], type=pa.float64())
    requests = requests.set_column(requests.column_names.index("response_s"), "response_s", nothing)
    (row,) = choose_rows(requests, None).rows
    assert row.spent == ""


def test_what_was_asked_and_answered_stands_with_the_requests_of_which_it_was_kept(tmp_path: Path) -> None:
    run = failing_run(tmp_path / "run")
    rows = {row.seq: row for row in choose_rows(make_requests(failing=True), run.verdict(), kept_in=run.path).rows}
    assert rows[705].asked[:2] == ("POST /chat HTTP/1.1", "Authorization: Bearer ***")
    assert rows[705].answered == ("the provider said nothing", "for 5 s")
    assert rows[710].answered == ("x" * MOST_TEXT, f"({5000 - MOST_TEXT:,} more characters)")
    assert [seq for seq, row in rows.items() if row.asked] == [705, 710]


def test_the_page_shows_an_exchange_and_a_filter_only_where_there_is_something_to_show(tmp_path: Path) -> None:
    failing = page_without_plots(failing_run(tmp_path / "failing"))
    assert "What request 705 asked and was answered" in failing
    assert "What request 706 asked" not in failing
    assert 'id="went-bad"' in failing
    all_well = write_run(tmp_path / "well", make_verdict(), requests=make_requests(count=30))
    assert 'id="went-bad"' not in page_without_plots(all_well)


def page_without_plots(run: RunDirectory) -> str:
    return render_html(replace(read_material(run), timeline=None, cdf=None, heat=None, gaps=None, breakers=None, summary=None))
