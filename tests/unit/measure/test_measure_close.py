"""Samples and the provider's records become one table."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from run_builder import FAULT, RunBuilder, call_of, failed, sample, unsent

from harness.measure import close_samples, fault_records
from harness.model.fault import ActedBy
from harness.model.journal import Event
from harness.model.outcome import Source
from harness.rundir import RunDirectory


def rows_of(run: RunDirectory) -> dict[int, dict[str, object]]:
    return {row["seq"]: row for row in run.samples().to_pylist()}


def test_a_request_carries_the_calls_it_caused_and_what_they_cost(tmp_path: Path) -> None:
    row = sample(0, 3.0)
    calls = [
        call_of(row, cost_usd=0.25, call_id="a", ended="cut"),
        call_of(row, cost_usd=0.5, call_id="b", endpoint="secondary", received_ns=row.intended_ns + 9),
    ]
    closed = rows_of(RunBuilder(samples=[row], calls=calls).build(tmp_path / "run"))[0]
    assert closed["call_ids"] == ["a", "b"]
    assert closed["metered_cost_usd"] == 0.75
    assert closed["metered_fallback"] is True


def test_a_request_that_caused_no_call_cost_nothing(tmp_path: Path) -> None:
    row = sample(0, 3.0, source=Source.CACHE)
    closed = rows_of(RunBuilder(samples=[row], calls=[]).build(tmp_path / "run"))[0]
    assert closed["metered_cost_usd"] == 0.0
    assert not closed["call_ids"]
    assert closed["metered_fallback"] is None


def test_a_request_that_was_never_sent_has_no_cost_at_all(tmp_path: Path) -> None:
    closed = rows_of(RunBuilder(samples=[unsent(sample(0, 3.0))], calls=[]).build(tmp_path / "run"))[0]
    assert closed["metered_cost_usd"] is None


def test_without_the_providers_records_nothing_is_metered(tmp_path: Path) -> None:
    closed = rows_of(RunBuilder(samples=[sample(0, 3.0)], without_truth=True).build(tmp_path / "run"))[0]
    assert closed["metered_cost_usd"] is None
    assert closed["metered_fallback"] is None
    assert not closed["call_ids"]


@pytest.mark.parametrize("tag", ["7", "[hs:7]"])
def test_a_call_without_a_request_id_is_joined_by_its_tag(tmp_path: Path, tag: str) -> None:
    row = sample(7, 3.0)
    run = RunBuilder(samples=[sample(0, 2.5), row], calls=[call_of(row, request_id=None, tag=tag)]).build(tmp_path / "run")
    assert rows_of(run)[7]["call_ids"] == ["call-7"]
    assert not rows_of(run)[0]["call_ids"]


@pytest.mark.parametrize("tag", [None, "", "seven", "[hs:]", "99"])
def test_a_call_that_names_nobody_is_joined_with_nobody(tmp_path: Path, tag: str | None) -> None:
    row = sample(7, 3.0)
    run = RunBuilder(samples=[row], calls=[call_of(row, request_id=None, tag=tag)]).build(tmp_path / "run")
    assert not rows_of(run)[7]["call_ids"]


def test_a_request_id_that_two_requests_share_names_neither(tmp_path: Path) -> None:
    rows = [sample(0, 3.0, request_id="same"), sample(1, 3.1, request_id="same")]
    run = RunBuilder(samples=rows, calls=[call_of(rows[1])]).build(tmp_path / "run")
    assert not any(row["call_ids"] for row in rows_of(run).values())


def test_requests_without_an_id_are_not_joined_with_calls_without_one(tmp_path: Path) -> None:
    row = sample(0, 3.0, request_id=None)
    run = RunBuilder(samples=[row], calls=[call_of(row)]).build(tmp_path / "run")
    assert not rows_of(run)[0]["call_ids"]


def test_an_answer_from_the_primary_after_a_failed_call_to_the_secondary_is_no_fallback(tmp_path: Path) -> None:
    row = sample(0, 3.0)
    calls = [
        call_of(row, call_id="a", endpoint="secondary", ended="refused", status_code=500),
        call_of(row, call_id="b", received_ns=row.intended_ns + 9_000_000),
    ]
    assert rows_of(RunBuilder(samples=[row], calls=calls).build(tmp_path / "run"))[0]["metered_fallback"] is False


def exposed(path: Path, *rows: object, **more: object) -> list[object]:
    run = RunBuilder(samples=list(rows), calls=[], **more).build(path / "run")  # type: ignore[arg-type]
    return [row["exposed_to"] for row in run.samples().to_pylist()]


def test_a_request_is_exposed_when_it_overlaps_the_fault_from_request_to_proof(tmp_path: Path) -> None:
    before, into, within = sample(0, 11.0, 0.9), sample(1, 11.5, 0.6), sample(2, 15.0, 0.5)
    out_of, after = sample(3, 22.05, 0.5), sample(4, 22.2, 0.5)
    assert exposed(tmp_path, before, into, within, out_of, after) == [[], ["f1"], ["f1"], ["f1"], []]


def test_a_request_without_an_end_is_exposed_from_its_start_on_and_one_never_sent_at_its_moment(tmp_path: Path) -> None:
    hanging = failed(sample(0, 11.0), ended_ns=None)
    assert exposed(tmp_path, hanging, unsent(sample(1, 11.0)), unsent(sample(2, 15.0))) == [["f1"], [], ["f1"]]


def test_a_fault_that_was_never_proved_clear_exposes_to_the_end(tmp_path: Path) -> None:
    steps = {Event.FAULT_REQUESTED: 12.0, Event.FAULT_CONFIRMED: 12.1}
    assert exposed(tmp_path, sample(0, 11.0), sample(1, 31.0), steps=steps) == [[], ["f1"]]


def test_a_rehearsed_fault_did_not_happen(tmp_path: Path) -> None:
    run = RunBuilder(samples=[sample(0, 3.0)], steps={}).build(tmp_path / "run")
    run.record(Event.FAULT_REQUESTED, "f1", at_ns=-5, rehearsal=True)
    run.record(Event.FAULT_CONFIRMED, "f1", at_ns=-4, rehearsal=True)
    (record,) = fault_records(run)
    assert record.requested_ns is None
    assert record.confirmed_ns is None


def test_a_fault_record_has_each_moment_and_the_proof_that_it_acted(tmp_path: Path) -> None:
    (record,) = fault_records(RunBuilder(samples=[sample(0, 3.0)]).build(tmp_path / "run"))
    moments = (record.requested_ns, record.confirmed_ns, record.cleared_ns, record.proved_clear_ns)
    assert moments == (12_000_000_000, 12_100_000_000, 22_000_000_000, 22_100_000_000)
    assert record.acted is not None
    assert (record.acted.by, record.acted.count) == (ActedBy.PROXY, 100)


def test_two_faults_expose_each_their_own_requests(tmp_path: Path) -> None:
    second = replace(FAULT, id="f2")
    run = RunBuilder(samples=[sample(0, 15.0)], calls=[], faults=(FAULT, second)).build(tmp_path / "run")
    assert run.samples()["exposed_to"].to_pylist() == [["f1", "f2"]]


def test_a_run_without_requests_closes_too(tmp_path: Path) -> None:
    run = RunBuilder(samples=[], calls=[]).build(tmp_path / "run")
    close_samples(run)
    assert run.samples().num_rows == 0
    assert isinstance(run.samples(), pa.Table)
