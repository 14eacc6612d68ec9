"""Files that are whole or not there, and errors that say which path and why."""

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from harness.errors import StorageError


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn an OSError inside the block into a StorageError that names the path and what to do."""
    try:
        yield
    except OSError as error:
        advice = {
            errno.ENOSPC: "free some space, or choose another place with --out DIR",
            errno.EACCES: "choose a place that you may write to with --out DIR",
            errno.EPERM: "choose a place that you may write to with --out DIR",
            errno.EROFS: "choose a place that can be written to with --out DIR",
        }.get(error.errno or 0)
        raise StorageError(f"cannot write {path}: {error.strerror}", advice=advice) from error


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that readers see the old bytes or the new ones, never half. Raises StorageError."""
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def write_named(path: Path, data: bytes) -> None:
    """Write where a person said so: a file whole or not at all, into a device or a pipe as it is. Raises StorageError."""
    if not path.exists() or path.is_file() or path.is_dir():
        write_whole(path, data)
        return
    with storage_errors(path):
        descriptor = os.open(path, os.O_WRONLY)  # never created or cut: it is no file
        with os.fdopen(descriptor, "wb") as device:
            device.write(data)


def sha256_of(path: Path) -> str:
    """Return the file's sha256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
