"""Reads what was appended to a file of JSON lines since the last look."""

from pathlib import Path
from typing import Generic, TypeVar

from harness.errors import RunDirectoryError
from harness.rundir import codec

T = TypeVar("T")

_MOST_BYTES = 4_000_000


class Tail(Generic[T]):
    """A place in a growing file. A file that is not there yet has no lines; a line without its end is read later."""

    def __init__(self, path: Path, type_: type[T]) -> None:
        self._path = path
        self._type = type_
        self._offset = 0

    def new(self) -> list[T]:
        """Return the whole lines since the last call, at most 4 MB of them. A line that does not fit is passed over."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read(_MOST_BYTES)
        except FileNotFoundError:
            return []
        whole, newline, _ = data.rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        found = []
        for line in whole.split(b"\n"):
            try:
                found.append(codec.from_json(line, self._type, where=str(self._path)))
            except RunDirectoryError:
                continue  # the run's verdict is not made of this; a view shows what it can read
        return found
