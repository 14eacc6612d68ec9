"""Columns of a closed run, read one at a time, so that ten million rows fit beside their own sums.

A table of every column of ten million requests takes several gigabytes; one column takes eighty megabytes and is gone
once it has been turned into codes, truths or numbers.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.measure.sweep import ClaimSink, FloatSink, IntegerSink, Sink, TextSink, TruthSink, require_columns, sweep
from harness.rundir import RunDirectory
from harness.rundir.schemas import CALLS_SCHEMA, SAMPLES_SCHEMA, version_of
from harness.rundir.tables import opened

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Order = npt.NDArray[np.int64]

SAMPLES_VERSION = version_of(SAMPLES_SCHEMA)
S = TypeVar("S", bound=Sink)
V = TypeVar("V", bound=np.generic)

BATCH_ROWS = 1 << 18
_MOST_COMPARED = 16
"""Names that are compared one by one: each comparison is a tenth of the time of looking every code up in a table."""
_LOGGED_ID = re.compile(rb'"request_id"\s*:\s*"([^"]+)"')
_SAMPLES = "samples/samples.parquet"
_CALLS = "truth/calls.parquet"
_VERSIONS = {_SAMPLES: SAMPLES_VERSION, _CALLS: version_of(CALLS_SCHEMA)}


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """A text column: a code for each request (-1: null) into `names`; as small as the names allow."""

    codes: npt.NDArray[np.signedinteger]
    names: tuple[str, ...]

    def is_in(self, names: Iterable[str]) -> Mask:
        """Return which requests carry one of the names."""
        wanted = set(names)
        places = [place for place, name in enumerate(self.names) if name in wanted]
        if len(places) > _MOST_COMPARED:
            table = np.array([name in wanted for name in self.names] + [False])  # code -1 reads the last
            return np.asarray(table[self.codes], dtype=np.bool_)
        found = np.zeros(self.codes.size, dtype=np.bool_)
        for place in places:
            found |= self.codes == place
        return found

    def at(self, rows: npt.NDArray[np.int64]) -> pa.Array:
        """Return the names of some requests as an array of texts, null where there is none."""
        codes = self.codes[rows]
        return pa.array(self.names, pa.string()).take(pa.array(codes, mask=codes < 0))

    def within(self, rows: slice) -> "Categories":
        """Return a stretch of the column."""
        return Categories(self.codes[rows], self.names)

    def counts(self, among: Mask) -> dict[str, int]:
        """Return how many of `among` carry each name, without zeros; nulls are not counted."""
        codes = self.codes[among]
        found = np.bincount(codes[codes >= 0], minlength=len(self.names))
        return {name: int(count) for name, count in sorted(zip(self.names, found, strict=True)) if count}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Swept:
    """Columns by their names, in order of intended time. claims: truths of which null is a third, as 1, 0 and -1."""

    floats: Mapping[str, Floats]
    integers: Mapping[str, npt.NDArray[np.int64]]
    truths: Mapping[str, Mask]
    claims: Mapping[str, npt.NDArray[np.int8]]
    texts: Mapping[str, Categories]


class SampleColumns:
    """The closed samples of a run, column by column, in order of intended time. Raises RunDirectoryError."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run

    @cached_property
    def order(self) -> Order | None:
        """The permutation that sorts the rows by intended time; None where they stand so already."""
        return order_of(self._swept(IntegerSink, "intended_ns").values)

    def sweep(
        self,
        *,
        floats: Sequence[str],
        integers: Sequence[str],
        truths: Sequence[str],
        claims: Sequence[str],
        texts: Sequence[str],
    ) -> "Swept":
        """Return many columns by their names, read in one sweep. integers: `intended_ns` among them, which tells the order."""
        numbers, whole, truth = _sinks(FloatSink, floats), _sinks(IntegerSink, integers), _sinks(TruthSink, truths)
        claimed, text = _sinks(ClaimSink, claims), _sinks(TextSink, texts)
        sweep(self._run.samples_path, SAMPLES_VERSION, {**numbers, **whole, **truth, **claimed, **text})
        self.__dict__["order"] = order_of(whole["intended_ns"].values)
        return Swept(
            floats={name: self._in_order(sink.values) for name, sink in numbers.items()},
            integers={name: self._in_order(sink.values) for name, sink in whole.items()},
            truths={name: self._in_order(sink.values) for name, sink in truth.items()},
            claims={name: self._in_order(sink.values) for name, sink in claimed.items()},
            texts={name: self._coded(sink) for name, sink in text.items()},
        )

    def floats(self, name: str) -> Floats:
        """Return a column of numbers or truths as float64, null as NaN."""
        return self._in_order(self._swept(FloatSink, name).values)

    def floats_among(self, name: str, among: Mask) -> Floats:
        """Return the numbers of a column in the rows of `among`, null left out, in any order: the rest is never laid out."""
        stored = among
        if self.order is not None:
            stored = np.empty_like(among)
            stored[self.order] = among
        parts, low = [np.empty(0)], 0
        for batch in batches(self._run, _SAMPLES, [name]):
            here = batch.column(0).filter(pa.array(stored[low : low + batch.num_rows])).drop_null()
            parts.append(here.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
            low += batch.num_rows
        return np.concatenate(parts)

    def distinct(self, name: str) -> frozenset[int]:
        """Return the different values of a column of whole numbers; null is none."""
        parts = (pc.unique(batch.column(0)).to_pylist() for batch in batches(self._run, _SAMPLES, [name]))
        return frozenset(value for part in parts for value in part if value is not None)

    def categories(self, name: str) -> Categories:
        """Return a text column as codes and names."""
        return self._coded(self._swept(TextSink, name))

    def _swept(self, kind: Callable[[pa.DataType], S], name: str) -> S:
        sinks = _sinks(kind, (name,))
        sweep(self._run.samples_path, SAMPLES_VERSION, sinks)
        return sinks[name]

    def _coded(self, sink: TextSink) -> Categories:
        return Categories(self._in_order(sink.codes), tuple(sink.names))

    def _in_order(self, values: npt.NDArray[V]) -> npt.NDArray[V]:
        return values if self.order is None else values[self.order]

    def lengths(self, name: str) -> npt.NDArray[np.int32]:
        """Return how many entries a column of lists holds in each row, null as 0; never the entries themselves."""
        parts = [_lengths(batch.column(0)) for batch in batches(self._run, _SAMPLES, [name])]
        return self._in_order(np.concatenate(parts) if parts else np.empty(0, dtype=np.int32))

    def logged(self) -> Mask | None:
        """Return which requests have their id in a JSON line of the target's logs; None where no line carries any id."""
        ids = logged_ids(self._run.logs)
        if not ids:
            return None
        column = self._run.samples(["request_id"])["request_id"].combine_chunks().cast(pa.string())
        found = pc.is_in(column, value_set=pa.array(sorted(ids), pa.string()))
        values = np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.bool_)
        return values if self.order is None else values[self.order]

    def whole_calls(self) -> npt.NDArray[np.int32]:
        """Return how many of each row's calls the provider answered to their end; 0 everywhere without its records."""
        whole = [pa.array([], pa.string())]
        if (self._run.path / _CALLS).is_file():
            for batch in batches(self._run, _CALLS, ["call_id", "ended"]):
                ids, ended = (batch.column(number).cast(pa.string()) for number in range(2))
                whole.append(ids.filter(pc.equal(ended, "completed")))
        known = pa.concat_arrays(whole)
        parts: list[npt.NDArray[np.int32]] = []
        for batch in batches(self._run, _SAMPLES, ["call_ids"]):
            lists = batch.column(0)
            counted = np.asarray(pc.is_in(pc.list_flatten(lists), value_set=known).to_numpy(zero_copy_only=False), dtype=bool)
            rows = np.asarray(pc.list_parent_indices(lists).to_numpy(zero_copy_only=False), dtype=np.int64)
            parts.append(np.bincount(rows[counted], minlength=batch.num_rows).astype(np.int32))
        values = np.concatenate(parts) if parts else np.empty(0, dtype=np.int32)
        return values if self.order is None else values[self.order]

    def rows_and_lengths(
        self, names: Sequence[str], which: npt.NDArray[np.int64], lists: str
    ) -> tuple[pa.Table, npt.NDArray[np.int32]]:
        """Return what `rows` and `lengths` do, read once: texts are what takes longest. lists: one of the names."""
        lengths = [np.empty(0, dtype=np.int32)]
        table = self.rows(names, which, lambda batch: lengths.append(_lengths(batch.column(lists))))
        return table, self._in_order(np.concatenate(lengths))

    def rows(
        self,
        names: Sequence[str],
        which: npt.NDArray[np.int64],
        shown: Callable[[pa.RecordBatch], None] = lambda _: None,
    ) -> pa.Table:
        """Return some rows of some columns. which: positions in order of intended time. shown: sees every piece that is read."""
        wanted = which if self.order is None else self.order[which]
        inverse = np.argsort(np.argsort(wanted, kind="stable"), kind="stable")
        ascending = np.sort(wanted)
        parts, low = [], 0
        for batch in batches(self._run, _SAMPLES, names):
            shown(batch)
            here = ascending[(ascending >= low) & (ascending < low + batch.num_rows)]
            parts.append(batch.take(pa.array(here - low)))
            low += batch.num_rows
        table = pa.Table.from_batches(parts).select(list(names)) if parts else self._run.samples(list(names)).select(list(names))
        return table.unify_dictionaries().take(pa.array(inverse))


def _lengths(lists: pa.Array) -> npt.NDArray[np.int32]:
    return np.asarray(pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False), dtype=np.int32)


def _sinks(kind: Callable[[pa.DataType], S], names: Sequence[str]) -> dict[str, S]:
    return {name: kind(SAMPLES_SCHEMA.field(name).type) for name in names}


def order_of(intended_ns: npt.NDArray[np.int64]) -> Order | None:
    """Return the permutation that sorts by intended time; None where the rows stand so already."""
    return np.argsort(intended_ns, kind="stable") if np.any(intended_ns[1:] < intended_ns[:-1]) else None


def logged_ids(logs: Path) -> set[str]:
    """Return every `request_id` that a JSON line of a log carries."""
    found: set[str] = set()
    for path in sorted(logs.glob("*.log")):
        with path.open("rb") as file:
            for line in file:
                if b'"request_id"' in line and (match := _LOGGED_ID.search(line)) is not None:
                    found.add(match[1].decode("utf-8", "replace"))
    return found


def batches(run: RunDirectory, name: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield a closed table of the run in pieces, for what cannot be held at once.

    Raises RunDirectoryError where it is missing, damaged, of another version, or lacks one of the columns.
    """
    path, version = run.path / name, _VERSIONS[name]
    with opened(path, version) as file:
        require_columns(path, version, file, columns)
        yield from file.iter_batches(batch_size=BATCH_ROWS, columns=list(columns))


def has_column(run: RunDirectory, name: str, column: str) -> bool:
    """Return whether a closed table of the run has a column, which one of an older version may lack. Raises RunDirectoryError."""
    with opened(run.path / name, _VERSIONS[name]) as file:
        return column in file.schema_arrow.names


def numbers(table: pa.Table, name: str) -> Floats:
    """Return a column of numbers or truths as float64, null as NaN."""
    column = table[name].combine_chunks()
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)


def categories(table: pa.Table, name: str) -> Categories:
    """Return a text column as codes and names."""
    column = table[name].combine_chunks()
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    names = tuple(column.dictionary.to_pylist())
    size = np.int8 if len(names) < 127 else np.int16 if len(names) < 32_767 else np.int32
    codes = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return Categories(np.asarray(codes, dtype=size), names)
