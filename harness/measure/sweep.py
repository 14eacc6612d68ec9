"""Many columns of a closed table in one sweep: decoded a piece at a time, straight into arrays that are laid out once.

Column by column each is decoded whole beside what it becomes, and what it left is given back and asked for again: of ten
million rows that is most of the time and of the memory. Two threads take half of the columns each: decoding and laying
out let each other work, and no two touch one array.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import RunDirectoryError
from harness.rundir.tables import opened

ROWS_AT_ONCE = 1 << 17


class Sink(Protocol):
    """Where the values of one column go. type: what the column must be, or be cast to."""

    type: pa.DataType

    def begin(self, rows: int) -> None:
        """Make room."""

    def take(self, rows: slice, column: pa.Array) -> None:
        """Take the next values."""


@dataclass(slots=True)
class FloatSink:
    """Numbers or truths as float64, null as NaN."""

    type: pa.DataType
    values: npt.NDArray[np.float64] = field(init=False)

    def begin(self, rows: int) -> None:
        """Make room."""
        self.values = np.empty(rows, dtype=np.float64)

    def take(self, rows: slice, column: pa.Array) -> None:
        """Take the next values."""
        column = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
        self.values[rows] = column.to_numpy(zero_copy_only=False)  # integers with a null come as floats with a NaN


@dataclass(slots=True)
class IntegerSink:
    """Whole numbers without a null."""

    type: pa.DataType
    values: npt.NDArray[np.int64] = field(init=False)

    def begin(self, rows: int) -> None:
        """Make room."""
        self.values = np.empty(rows, dtype=np.int64)

    def take(self, rows: slice, column: pa.Array) -> None:
        """Take the next values. Raises ValueError on a null."""
        if column.null_count:
            raise ValueError("a null where there can be none")
        self.values[rows] = column.to_numpy()


@dataclass(slots=True)
class TruthSink:
    """Where a column of truths is true; null is not."""

    type: pa.DataType
    values: npt.NDArray[np.bool_] = field(init=False)

    def begin(self, rows: int) -> None:
        """Make room."""
        self.values = np.empty(rows, dtype=np.bool_)

    def take(self, rows: slice, column: pa.Array) -> None:
        """Take the next values."""
        self.values[rows] = column.fill_null(False).to_numpy(zero_copy_only=False)


@dataclass(slots=True)
class ClaimSink:
    """A column of truths of which null is a third: 1, 0, -1."""

    type: pa.DataType
    values: npt.NDArray[np.int8] = field(init=False)

    def begin(self, rows: int) -> None:
        """Make room."""
        self.values = np.empty(rows, dtype=np.int8)

    def take(self, rows: slice, column: pa.Array) -> None:
        """Take the next values."""
        self.values[rows] = column.cast(pa.int8()).fill_null(-1).to_numpy()


@dataclass(slots=True)
class TextSink:
    """A text column as codes (-1: null) into `names`, as small as the names allow."""

    type: pa.DataType
    codes: npt.NDArray[np.signedinteger] = field(init=False)
    names: dict[str, int] = field(default_factory=dict)

    def begin(self, rows: int) -> None:
        """Make room."""
        self.codes = np.empty(rows, dtype=np.int8)

    def take(self, rows: slice, column: pa.Array) -> None:
        """Take the next values."""
        column = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        own = [self.names.setdefault(str(name), len(self.names)) for name in column.dictionary.to_pylist()]
        if len(self.names) > np.iinfo(self.codes.dtype).max:
            self.codes = self.codes.astype(np.int16 if len(self.names) < np.iinfo(np.int16).max else np.int32)
        if column.null_count == len(column):
            self.codes[rows] = -1
            return
        indices = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        if own == list(range(len(own))):  # as in every piece of a table whose words were unified: nothing to look up
            self.codes[rows] = indices
        else:
            self.codes[rows] = np.array([*own, -1], dtype=self.codes.dtype)[indices]  # index -1 reads the last


def sweep(path: Path, version: str, sinks: Mapping[str, Sink]) -> None:
    """Read the columns that the sinks are named after. Raises RunDirectoryError where the table is not what is expected."""
    with opened(path, version) as file:
        require_columns(path, version, file, sinks)
        rows = file.metadata.num_rows
    for sink in sinks.values():
        sink.begin(rows)
    if rows <= ROWS_AT_ONCE or len(sinks) == 1:
        _fill(path, version, sinks)
        return
    named = list(sinks.items())  # of one kind each beside the next, so that either half has as much to do
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="sweep") as pool:
        for future in [pool.submit(_fill, path, version, dict(half)) for half in (named[::2], named[1::2])]:
            future.result()


def require_columns(path: Path, version: str, file: pq.ParquetFile, names: Iterable[str]) -> None:
    """Raise RunDirectoryError where a table lacks a column that is asked for: Arrow would leave it out without a word."""
    if missing := [name for name in names if name not in file.schema_arrow.names]:
        raise RunDirectoryError(f"{path}: its columns are not those of {version}: {', '.join(missing)} missing")


def _fill(path: Path, version: str, sinks: Mapping[str, Sink]) -> None:
    with opened(path, version) as file:
        low = 0
        for batch in file.iter_batches(batch_size=ROWS_AT_ONCE, columns=list(sinks), use_threads=False):
            rows = slice(low, low + batch.num_rows)
            for name, sink in sinks.items():
                column = batch.column(name)
                sink.take(rows, column if column.type == sink.type else column.cast(sink.type))
            low = rows.stop
        if low != file.metadata.num_rows:
            raise RunDirectoryError(f"{path}: damaged: {low} of {file.metadata.num_rows} rows could be read")
