"""Arrow tables on disk: streams while a run is going, Parquet once it is closed.

A stream that a `kill -9` cut short is read up to its last whole batch.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import RunDirectoryError
from harness.rundir.files import storage_errors
from harness.rundir.schemas import ADDED_LATER, version_of

_BUFFER_BYTES = 1 << 18
"""Arrow writes each column's parts one by one, a hundred calls of the system for each batch: they leave together."""


class StreamWriter:
    """Appends record batches to an Arrow IPC stream; each `write` reaches the file system before it returns."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self._schema = schema
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb", buffering=_BUFFER_BYTES)
            # Moments of one second have their high bytes in common: lz4 leaves half, in less time than writing the rest takes.
            self._options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True, compression="lz4", use_threads=False)
            self._stream = pa.ipc.new_stream(self._file, schema, options=self._options)
            self._file.flush()

    def write(self, columns: Sequence[Sequence[object]]) -> None:
        """Append one batch: a sequence of values for each column of the schema, all of one length."""
        arrays = [pa.array(values, type=field.type) for values, field in zip(columns, self._schema, strict=True)]
        self.write_arrays(arrays)

    def write_arrays(self, arrays: Sequence[pa.Array]) -> None:
        """Append one batch that is already in Arrow's form: an array for each column, of the schema's type. Raises StorageError.

        A dictionary column may only ever add to the words that it had in the batch before.
        """
        with storage_errors(self._path):
            self._stream.write_batch(pa.record_batch(list(arrays), schema=self._schema))
            self._file.flush()

    def rehearse(self, arrays: Sequence[pa.Array]) -> None:
        """Write a batch to nowhere, so that the first real one finds everything loaded."""
        with pa.ipc.new_stream(pa.BufferOutputStream(), self._schema, options=self._options) as nowhere:
            nowhere.write_batch(pa.record_batch(list(arrays), schema=self._schema))

    def close(self) -> None:
        """End the stream. Raises StorageError."""
        with storage_errors(self._path):
            self._stream.close()
            self._file.close()


def read_stream(path: Path, schema: pa.Schema) -> pa.Table:
    """Return the whole batches of a stream, also of one cut short. Raises RunDirectoryError on a foreign schema."""
    batches: list[pa.RecordBatch] = []
    with path.open("rb") as file:
        try:
            stream = pa.ipc.open_stream(file)
            if not stream.schema.equals(schema):
                raise RunDirectoryError(f"{path}: its columns are not those of {version_of(schema)}")
            for batch in stream:
                batches.append(batch)  # noqa: PERF402 - keeps what was read when the stream ends in the middle
        except (pa.ArrowInvalid, OSError):
            pass  # cut short: what was whole counts
    return pa.Table.from_batches(batches, schema=schema).unify_dictionaries()


def write_parquet(path: Path, table: pa.Table, schema: pa.Schema) -> None:
    """Write a table whole or not at all. Raises StorageError."""
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.part")
        try:
            pq.write_table(table.cast(schema), temporary, compression="zstd")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def opened(path: Path, version: str) -> Iterator[pq.ParquetFile]:
    """Hold a closed table open. Raises RunDirectoryError where it is missing, of another version, or found to be damaged."""
    try:
        # Not `read_table`: that imports Arrow's data sets, a third of a second, to look whether the path is one file.
        with pq.ParquetFile(path, pre_buffer=False) as file:
            found = (file.schema_arrow.metadata or {}).get(b"schema", b"").decode()
            if found != version:
                raise RunDirectoryError(f"{path}: written as {found or 'an unknown schema'}, read as {version}")
            yield file
    except FileNotFoundError as error:
        raise RunDirectoryError(f"{path}: missing", advice="was the run cut short before its close?") from error
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RunDirectoryError(f"{path}: damaged: {error}") from error


def read_parquet(path: Path, schema: pa.Schema, columns: Sequence[str] | None = None) -> pa.Table:
    """Return a closed table, or the named columns of it, in the schema's order.

    Raises RunDirectoryError where it is missing, damaged or of another version.
    """
    wanted = schema if columns is None else pa.schema([f for f in schema if f.name in set(columns)], metadata=schema.metadata)
    version = version_of(schema)
    with opened(path, version) as file:
        table = file.read(columns=None if columns is None else wanted.names)
    for added in [f for f in wanted if f.name in ADDED_LATER and f.name not in table.column_names]:
        table = table.add_column(wanted.get_field_index(added.name), added, pa.nulls(table.num_rows, added.type))
    try:
        return table.cast(wanted)
    except (pa.ArrowException, ValueError) as error:
        raise RunDirectoryError(f"{path}: its columns are not those of {version}: {error}") from error
