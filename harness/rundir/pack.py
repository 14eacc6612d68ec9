"""A run directory as one file to pass on: the same bytes for the same run, wherever and whenever it is packed."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

from harness.errors import ConfigurationError
from harness.rundir.directory import RunDirectory
from harness.rundir.files import storage_errors

_EVERYBODY_READS = 0o644


def pack(directory: Path, out: Path) -> str:
    """Write a run directory, or one of several runs, as `.tar.gz`; return the file's sha256.

    Every digest of the manifests is checked first. Names are sorted, times and owners left out, links not followed.
    Raises ConfigurationError for what is no run or was changed (nothing is written), RunDirectoryError where a run is still
    going on, StorageError.
    """
    runs = [path.parent for path in sorted(directory.glob("plan.json")) + sorted(directory.glob("*/plan.json"))]
    if not runs:
        raise ConfigurationError(f"{directory}: not a run directory: it has no plan.json")
    if out.exists():
        raise ConfigurationError(f"{out}: is there already; choose another name with --out FILE")
    for path in runs:
        RunDirectory(path).must_be_over()
    if unsealed := [path for path in runs if not RunDirectory(path).manifest_path.is_file()]:
        raise ConfigurationError(
            *(f"{path}: it was never closed, or lost its manifest.json since" for path in unsealed),
            advice="harness judge closes a run that was killed",
        )
    problems = [
        f"{path.name}: {name} is missing or not what was measured" for path in runs for name in RunDirectory(path).tampered()
    ]
    if problems:
        raise ConfigurationError(*problems, advice="a run that was changed is not packed: nobody could tell it from a whole one")
    root = directory.resolve().name
    temporary = out.with_name(f".{out.name}.part")
    with storage_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            with (
                temporary.open("wb") as raw,
                gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6) as packed,
                tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
            ):
                for path in _files(directory):
                    entry = tarfile.TarInfo(f"{root}/{path.relative_to(directory).as_posix()}")
                    data = path.read_bytes()
                    entry.size, entry.mode = len(data), _EVERYBODY_READS
                    archive.addfile(entry, io.BytesIO(data))
            temporary.replace(out)
        finally:
            temporary.unlink(missing_ok=True)
    with out.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(directory: Path) -> Iterator[Path]:
    """Return the files of a run in one order; half-written ones, sockets and links are left out."""
    for path in sorted(directory.rglob("*"), key=lambda each: each.relative_to(directory).as_posix()):
        if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            yield path
