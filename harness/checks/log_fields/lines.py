"""The lines of JSON that the target wrote of requests, by the request's id."""

import json
from collections.abc import Collection, Mapping
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
    named = json.dumps(field).encode()
    for path in sorted(logs.glob("*.log")):
        try:
            with path.open("rb") as file:
                for number, raw in enumerate(file, start=1):
                    if named not in raw or (said := _object(raw)) is None:
                        continue
                    if (request_id := said.get(field)) in ids and isinstance(request_id, str):
                        found.setdefault(request_id, []).append(Line(place=f"logs/{path.name}:{number}", fields=said))
        except OSError as error:
            raise RunDirectoryError(f"{path}: {error.strerror}") from error
    return found


def _object(raw: bytes) -> dict[str, object] | None:
    try:
        said = json.loads(raw[:MOST_LINE_BYTES])
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
