"""Collects what is wrong with a document, so that people see all of it at once."""

from harness.documents.located import Located, Path
from harness.errors import ConfigurationError


class Findings:
    """Problems of one document, told in the order of its lines."""

    def __init__(self, located: Located) -> None:
        self._located = located
        self._found: list[tuple[int, int, str]] = []

    def add(self, path: Path, text: str) -> None:
        """Note a problem with the value at `path`."""
        where = self._located.at(path)
        line, column = where.rsplit(":", 2)[1:]
        self._found.append((int(line), int(column), f"{where}: {text}"))

    def line_of(self, path: Path) -> int:
        """Return the line of a value, from 1."""
        return int(self._located.at(path).rsplit(":", 2)[1])

    def raise_if_any(self) -> None:
        """Raise ConfigurationError with every problem found."""
        if self._found:
            raise ConfigurationError(*(text for _, _, text in sorted(self._found)))
