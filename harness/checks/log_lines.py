"""The lines of JSON that the target wrote of requests, by the request's id."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import RunDirectoryError

MOST_LINE_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. place: `logs/service-a.log:12`; fields: what it says."""

    place: str
    fields: Mapping[str, object]


def lines_by_request(logs: Path, ids: Collection[str], field: str) -> dict[str, list[Line]]:
    """Return the lines of JSON whose `field` is one of the ids. Raises RunDirectoryError where a log cannot be read."""
    found: dict[str, list[Line]] = {}
    for log, number, said in _objects(logs, json.dumps(field).encode()):
        request_id = said.get(field)
        if isinstance(request_id, str) and request_id in ids:
            found.setdefault(request_id, []).append(Line(place=f"logs/{log}:{number}", fields=said))
    return found


def lines_with_most(logs: Path, fields: Collection[str]) -> int:
    """Return how many lines of JSON have more than half of these fields: they tell of requests, whosever they are.

    Raises RunDirectoryError where a log cannot be read.
    """
    return sum(2 * sum(field in said for field in fields) > len(fields) for _, _, said in _objects(logs, b"{"))


def _objects(logs: Path, within: bytes) -> Iterator[tuple[str, int, dict[str, object]]]:
    """Yield the log, the number and what it says of every line of JSON with these bytes in it."""
    for path in sorted(logs.glob("*.log")):
        try:
            with path.open("rb") as file:
                for number, raw in enumerate(file, start=1):
                    if within in raw and (said := _object(raw)) is not None:
                        yield path.name, number, said
        except OSError as error:
            raise RunDirectoryError(f"{path}: {error.strerror}") from error


def _object(raw: bytes) -> dict[str, object] | None:
    try:
        said = json.loads(raw[:MOST_LINE_BYTES])
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
