"""What a server wrote to its log while a fault was in force."""

from collections.abc import Sequence
from pathlib import Path


class LogTail:
    """Counts lines with given texts from where the log ended when this was made. path: None counts nothing."""

    def __init__(self, path: Path | None, texts: Sequence[str]) -> None:
        self._path = path
        self._texts = [text.encode() for text in texts]
        self._from = self._size() or 0

    def count(self) -> int | None:
        """Return how many lines hold one of the texts; None where there is no log to look into."""
        if self._path is None or self._size() is None:
            return None
        found, rest = 0, b""
        with self._path.open("rb") as file:
            file.seek(self._from)
            while chunk := file.read(1 << 20):
                *lines, rest = (rest + chunk).split(b"\n")
                found += sum(any(text in line for text in self._texts) for line in lines)
        return found + any(text in rest for text in self._texts)

    def _size(self) -> int | None:
        try:
            return None if self._path is None else self._path.stat().st_size
        except OSError:
            return None
