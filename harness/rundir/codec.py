"""Frozen dataclasses to JSON and back, strictly: an unknown type, a missing key or a wrong one is an error."""

import dataclasses
from pathlib import Path
from typing import TypeVar

import msgspec

from harness.errors import RunDirectoryError

T = TypeVar("T")


def to_json(value: object) -> bytes:
    """Return a value as compact JSON on one line. NaN and infinity become null."""
    return msgspec.json.encode(value, order="deterministic")


def to_pretty_json(value: object) -> bytes:
    """Return a value as indented JSON with a final newline."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def from_json(data: bytes, type_: type[T], *, where: str) -> T:
    """Return the value in `data`. Raises RunDirectoryError that names `where` and the path inside the document."""
    try:
        return msgspec.json.decode(data, type=type_)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RunDirectoryError(f"{where}: {error}") from error


def read_json(path: Path, type_: type[T]) -> T:
    """Return the value in a file. Raises RunDirectoryError where it is missing, does not fit or is of another version."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RunDirectoryError(f"{path}: {error.strerror}") from error
    value = from_json(data, type_, where=str(path))
    if (known := _version_of(type_)) is not None and (found := getattr(value, "schema", known)) != known:
        # Its fields may fit and mean something else: what is not understood is not judged.
        raise RunDirectoryError(f"{path}: written as {found}, read as {known}", advice="use the harness that wrote it")
    return value


def _version_of(type_: type[object]) -> str | None:
    """Return the version that documents of this type carry; None where they carry none."""
    parts = dataclasses.fields(type_) if dataclasses.is_dataclass(type_) else ()
    return next((part.default for part in parts if part.name == "schema" and isinstance(part.default, str)), None)
