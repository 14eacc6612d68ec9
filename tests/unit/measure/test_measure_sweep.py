"""Columns in one sweep: as they stand in the file, in order of intended time, or an error with the file's name."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from run_builder import RunBuilder, call_of, sample

from harness.errors import RunDirectoryError
from harness.measure import sweep as sweeping
from harness.measure.columns import SampleColumns, batches, has_column
from harness.measure.sweep import FloatSink, IntegerSink, TextSink, sweep
from harness.rundir import RunDirectory


@pytest.fixture
def in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "ROWS_AT_ONCE", 7)


def table(path: Path, columns: dict[str, pa.Array], version: str = "v/1") -> Path:
    pq.write_table(pa.table(columns).replace_schema_metadata({"schema": version}), path)
    return path


@pytest.mark.usefixtures("in_small_pieces")
def test_rows_come_in_order_of_intended_time_whatever_their_order_in_the_file(tmp_path: Path) -> None:
    rows = [
        sample(seq, at_s, principal=f"user-{seq % 3:04d}") for seq, at_s in enumerate([9.0, 3.0, 5.0, 4.0, 30.0, *range(10, 25)])
    ]
    run = RunBuilder(samples=rows).build(tmp_path / "run")
    read = SampleColumns(run).sweep(
        floats=("ended_ns",),
        integers=("seq", "intended_ns"),
        truths=("streamed",),
        claims=("claimed_fallback",),
        texts=("principal",),
    )
    wanted = sorted(rows, key=lambda row: row.intended_ns)
    assert read.integers["seq"].tolist() == [row.seq for row in wanted]
    assert read.floats["ended_ns"].tolist() == [row.ended_ns for row in wanted]
    assert read.truths["streamed"].all()
    assert set(read.claims["claimed_fallback"].tolist()) == {-1}
    principal = read.texts["principal"]
    assert [principal.names[code] for code in principal.codes] == [row.principal for row in wanted]


@pytest.mark.usefixtures("in_small_pieces")
def test_more_names_than_a_byte_counts_are_all_told_apart(tmp_path: Path) -> None:
    names = [None if number % 50 == 0 else f"name-{number % 300}" for number in range(900)]
    sink = TextSink(pa.dictionary(pa.int32(), pa.string()))
    sweep(table(tmp_path / "t", {"a": pa.array(names).dictionary_encode()}), "v/1", {"a": sink})
    told = list(sink.names)
    assert [None if code < 0 else told[code] for code in sink.codes] == names


def test_numbers_with_and_without_a_null_keep_their_values(tmp_path: Path) -> None:
    path = table(tmp_path / "t", {"a": pa.array([1, None, 3]), "b": pa.array([True, None, False]), "c": pa.array([5, 6, 7])})
    a, b, c = FloatSink(pa.int64()), FloatSink(pa.bool_()), IntegerSink(pa.int64())
    sweep(path, "v/1", {"a": a, "b": b, "c": c})
    np.testing.assert_array_equal(a.values, [1.0, np.nan, 3.0])
    np.testing.assert_array_equal(b.values, [1.0, np.nan, 0.0])
    assert c.values.tolist() == [5, 6, 7]


@pytest.mark.parametrize(
    ("columns", "version", "told"),
    [
        ({"a": pa.array([1, 2])}, "v/2", "written as v/2, read as v/1"),
        ({"b": pa.array([1, 2])}, "v/1", "a missing"),
        ({"a": pa.array([1, None])}, "v/1", "a null where there can be none"),
        ({"a": pa.array(["x", "y"])}, "v/1", "damaged"),
    ],
)
def test_a_table_that_is_not_what_is_expected_is_an_error_that_names_it(
    columns: dict[str, pa.Array], version: str, told: str, tmp_path: Path
) -> None:
    with pytest.raises(RunDirectoryError, match=told) as caught:
        sweep(table(tmp_path / "t", columns, version), "v/1", {"a": IntegerSink(pa.int64())})
    assert str(tmp_path / "t") in str(caught.value)


@pytest.mark.usefixtures("in_small_pieces")
def test_words_that_each_row_group_counts_anew_keep_their_meaning(tmp_path: Path) -> None:
    groups = [["a", "b", None], ["b", "c", "a"], [None, None, None], ["c", None, "d"]]
    schema = pa.schema([("a", pa.dictionary(pa.int32(), pa.string()))], metadata={"schema": "v/1"})
    with pq.ParquetWriter(tmp_path / "t", schema) as file:
        for words in groups:
            file.write_table(pa.table({"a": pa.array(words, pa.string()).dictionary_encode()}, schema=schema))
    sink = TextSink(pa.dictionary(pa.int32(), pa.string()))
    sweep(tmp_path / "t", "v/1", {"a": sink})
    told = list(sink.names)
    assert [None if code < 0 else told[code] for code in sink.codes] == [word for words in groups for word in words]


@pytest.mark.usefixtures("in_small_pieces")
def test_both_halves_of_the_columns_are_read_to_their_ends_and_either_may_find_an_error(tmp_path: Path) -> None:
    columns = {name: pa.array(range(start, start + 40)) for start, name in enumerate("abcde")}
    path = table(tmp_path / "t", columns)
    sinks = {name: IntegerSink(pa.int64()) for name in "abcde"}
    sweep(path, "v/1", sinks)
    assert {name: sink.values.tolist() for name, sink in sinks.items()} == {n: c.to_pylist() for n, c in columns.items()}
    for name in "abcde":
        holed = {**columns, name: pa.array([*range(39), None])}
        with pytest.raises(RunDirectoryError, match="a null where there can be none"):
            sweep(table(tmp_path / "t", holed), "v/1", {name: IntegerSink(pa.int64()) for name in "abcde"})


def test_a_table_that_is_missing_or_cut_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match="missing"):
        sweep(tmp_path / "none", "v/1", {"a": IntegerSink(pa.int64())})
    path = table(tmp_path / "t", {"a": pa.array(range(1000))})
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(RunDirectoryError, match="damaged"):
        sweep(path, "v/1", {"a": IntegerSink(pa.int64())})


def test_a_run_of_a_later_version_is_an_error(tmp_path: Path) -> None:
    run = RunBuilder(samples=[sample(0, 3.0)]).build(tmp_path / "run")
    kept = pq.read_table(run.samples_path)
    pq.write_table(kept.replace_schema_metadata({"schema": "harness.samples/2"}), run.samples_path)
    with pytest.raises(RunDirectoryError, match=r"written as harness\.samples/2"):
        SampleColumns(RunDirectory.open(run.path)).floats("ended_ns")


@pytest.mark.parametrize("name", ["samples/samples.parquet", "truth/calls.parquet"])
def test_a_table_read_in_pieces_is_of_this_version_and_has_its_columns_or_it_is_an_error(name: str, tmp_path: Path) -> None:
    run = RunBuilder(samples=[sample(0, 3.0)], calls=[call_of(sample(0, 3.0))]).build(tmp_path / "run")
    path = run.path / name
    kept = pq.read_table(path)
    assert sum(piece.num_rows for piece in batches(run, name, ["request_id"])) == 1
    assert has_column(run, name, "request_id")
    with pytest.raises(RunDirectoryError, match="nonsense missing"):
        list(batches(run, name, ["request_id", "nonsense"]))
    pq.write_table(kept.replace_schema_metadata({"schema": "harness.later/9"}), path)
    with pytest.raises(RunDirectoryError, match=r"written as harness\.later/9, read as harness\.(samples|calls)/1"):
        list(batches(run, name, ["request_id"]))
    with pytest.raises(RunDirectoryError, match=r"written as harness\.later/9"):
        has_column(run, name, "request_id")
    path.unlink()
    with pytest.raises(RunDirectoryError, match="missing"):
        list(batches(run, name, ["request_id"]))
