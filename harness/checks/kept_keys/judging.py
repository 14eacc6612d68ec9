"""Does a key stand in a file of the run directory? What the target's processes wrote is there, what was sent and answered, and
all of which reports are made.
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.checks.evidence import judgement
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.key_forms import found_in
from harness.model.plan import PlannedCheck


def judge_kept_keys(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether what is kept holds no key. Raises RunDirectoryError."""
    if reading.requests.size == 0:
        return judgement(check, Status.INCONCLUSIVE, "kept keys: no request was sent, so no key was shown that could be kept")
    files, places = 0, list[str]()
    for name, text in _texts(reading.run.path):
        files += 1
        places += [f"{name}:{line}: {what}" for line, what in found_in(text)]
    test = Test(quantity="keys_kept", op="<=", limit=0.0, value=float(len(places)), n=files, bad=len(places))
    if places:
        more = f" (and {len(places) - 1} more)" if len(places) > 1 else ""
        return judgement(check, Status.FAIL, f"kept keys: {places[0]} stands in what is kept of the run{more}", test=test)
    return judgement(check, Status.PASS, f"kept keys: {files} files of the run hold no key of a known form", test=test)


def _texts(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each file's name and its text; of a table what its columns of text hold."""
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        name = path.relative_to(directory).as_posix()
        yield name, (_words(path) if path.suffix == ".parquet" else path.read_bytes())


def _words(path: Path) -> bytes:
    table = pq.ParquetFile(path)
    texts = [field.name for field in table.schema_arrow if _is_text(field.type)]
    found = {
        word
        for batch in table.iter_batches(columns=texts)
        for column in batch.columns
        for word in pc.unique(column.cast(pa.string())).to_pylist()
        if word
    }
    return "\n".join(sorted(found)).encode()


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or (pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type)))
