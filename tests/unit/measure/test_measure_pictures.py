"""The frames of the pictures: counted by hand from a few rows, and empty where there is nothing."""

from dataclasses import replace
from pathlib import Path

import pytest
from run_builder import RunBuilder, call_of, failed, sample

from harness.measure import read_run, write_measurements
from harness.measure.pictures import breakers_of, gaps_of, heat_of
from harness.rundir.scrapes import Scrape

S = 1_000_000_000


def reading_of(path: Path, samples, scrapes=(), **more):
    run = RunBuilder(samples=samples, **more).build(path / "run")
    for scrape in scrapes:
        run.append_scrape(scrape)
    return read_run(run)


def test_every_answer_is_in_one_cell_that_holds_its_moment_and_its_time(tmp_path: Path):
    took = {0: (1.0, 0.5), 1: (1.0, 0.5), 2: (1.0, 4.0), 3: (31.9, 0.0001), 4: (16.0, 300.0)}
    rows = [sample(seq, at_s, took_s) for seq, (at_s, took_s) in took.items()]
    cells = heat_of(reading_of(tmp_path, [*rows, failed(sample(5, 2.0)), sample(6, 3.0, None)])).to_pylist()
    assert sum(cell["answers"] for cell in cells) == 5, "what was not answered took no time that could be drawn"
    (pair,) = [cell for cell in cells if cell["answers"] == 2]
    assert pair["from_s"] <= 1.0 < pair["to_s"]
    assert pair["took_from_s"] <= 0.5 < pair["took_to_s"]
    assert min(cell["took_from_s"] for cell in cells) == pytest.approx(0.01), "shorter than the shortest is in the lowest row"
    assert max(cell["took_to_s"] for cell in cells) == pytest.approx(60.0), "longer than the longest is in the highest"
    assert max(cell["to_s"] for cell in cells) == pytest.approx(32.0)


def test_gaps_are_those_of_answered_streams_beside_what_the_provider_sent(tmp_path: Path):
    streams = [sample(seq, 3 + seq / 20, gap_p95_ns=(seq + 1) * 1_000_000, gap_max_ns=50_000_000) for seq in range(100)]
    whole = [sample(100 + seq, 9.0, streamed=False) for seq in range(5)]
    calls = [call_of(row, gap_p95_ns=2_000_000) for row in streams]
    calls[0] = replace(calls[0], ended="cut", gap_p95_ns=9_000_000_000)  # a call that broke off was sent to nobody's end
    rows = {row["permille"]: row for row in gaps_of(reading_of(tmp_path, streams + whole, calls=calls)).to_pylist()}
    assert rows[500]["seen_s"] == pytest.approx(0.050)
    assert rows[1000]["seen_s"] == pytest.approx(0.100)
    assert rows[950]["longest_s"] == pytest.approx(0.05)
    assert rows[1000]["sent_s"] == pytest.approx(0.002)


def test_without_streams_or_records_there_is_nothing_to_draw_and_nothing_made_up(tmp_path: Path):
    whole = [sample(seq, 3 + seq / 20, streamed=False) for seq in range(20)]
    assert gaps_of(reading_of(tmp_path, whole)).num_rows == 0
    streams = [sample(seq, 3 + seq / 20, gap_p95_ns=1_000_000) for seq in range(20)]
    (tmp_path / "other").mkdir()
    rows = gaps_of(reading_of(tmp_path / "other", streams, without_truth=True)).to_pylist()
    assert rows[0]["seen_s"] == pytest.approx(0.001)
    assert {row["sent_s"] for row in rows} == {None}
    assert {row["longest_s"] for row in rows} == {None}


def told(at_s: float, instance: str, *states: tuple[str, str]) -> Scrape:
    lines = "".join(f'gateway_circuit_state{{endpoint="{endpoint}"}} {state}\n' for endpoint, state in states)
    return Scrape(at_ns=round(at_s * S), instance=instance, text=f"# HELP x\nother 3\n{lines}gateway_circuit_states 2\n")


def test_a_state_lasts_from_the_scrape_that_told_it_to_the_one_that_told_another(tmp_path: Path):
    scrapes = [
        told(3, "a", ("primary", "0"), ("secondary", "0")),
        told(1, "a", ("primary", "0.0")),
        told(5, "a", ("primary", "2")),
        Scrape(at_ns=6 * S, instance="a", problem="no answer"),
        told(7, "a", ("primary", "1")),
        told(9, "a", ("primary", "0")),
        told(4, "b", ("primary", "2")),
        told(8, "b", ("primary", "7")),
    ]
    rows = breakers_of(reading_of(tmp_path, [sample(0, 3.0)], scrapes)).to_pylist()
    found = [(r["instance"], r["endpoint"], r["state"], r["from_s"], r["to_s"]) for r in rows]
    assert found == [
        ("a", "primary", "closed", 1.0, 5.0),
        ("a", "secondary", "closed", 3.0, 3.0),
        ("b", "primary", "open", 4.0, 4.0),
        ("a", "primary", "open", 5.0, 7.0),
        ("a", "primary", "half-open", 7.0, 9.0),
        ("a", "primary", "closed", 9.0, 9.0),
    ]


def test_no_scrape_is_no_state(tmp_path: Path):
    assert breakers_of(reading_of(tmp_path, [sample(0, 3.0)])).num_rows == 0


def test_all_of_them_are_written_with_the_measurements(tmp_path: Path):
    reading = reading_of(tmp_path, [sample(0, 3.0)])
    write_measurements(reading.run, reading)
    assert {"heat.parquet", "gaps.parquet", "breakers.parquet"} <= {path.name for path in reading.run.measurements.iterdir()}
