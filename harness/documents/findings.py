"""Collects what is wrong with a document, so that people see all of it at once."""

from harness.documents.located import Located, Path
from harness.errors import ConfigurationError, NotOfferedError


class Findings:
    """Problems of one document, told in the order of its lines."""

    def __init__(self, located: Located) -> None:
        self._located = located
        self._found: list[tuple[int, int, str]] = []
        self._only_not_offered = True

    def add(self, path: Path, text: str, *, not_offered: bool = False) -> None:
        """Note a problem with the value at `path`. not_offered: the document is sound, the target has nothing for it."""
        self._only_not_offered &= not_offered
        where = self._located.at(path)
        line, column = where.rsplit(":", 2)[1:]
        self._found.append((int(line), int(column), f"{where}: {text}"))

    @property
    def count(self) -> int:
        """How many problems were noted."""
        return len(self._found)

    def line_of(self, path: Path) -> int:
        """Return the line of a value, from 1."""
        return int(self._located.at(path).rsplit(":", 2)[1])

    def raise_if_any(self) -> None:
        """Raise ConfigurationError with every problem found; NotOfferedError where the target lacks something, and no more."""
        if self._found:
            kind = NotOfferedError if self._only_not_offered else ConfigurationError
            raise kind(*(text for _, _, text in sorted(self._found)))
