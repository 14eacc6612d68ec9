from dataclasses import replace

import pyarrow as pa
from report_fixtures import healthy_results, make_requests, make_verdict

from harness.model.judgement import Evidence
from harness.report.drilldown import MOST_ROWS, choose_rows


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
