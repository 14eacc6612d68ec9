"""A recorded trace: when requests came, and how many tokens they asked for and got. CSV with a header, or JSONL.

time      ::= seconds from any zero, or an ISO 8601 moment; also called `timestamp`, `time_s`
tokens    ::= `prompt_tokens` (`context_tokens`, `contexttokens`) and `max_tokens` (`generated_tokens`, `output_tokens`)
"""

import csv
import datetime
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.model.units import NS_PER_S

MOST_ROWS = 200_000
_NAMES = {
    "time": ("time", "time_s", "timestamp"),
    "prompt_tokens": ("prompt_tokens", "context_tokens", "contexttokens", "input_tokens"),
    "max_tokens": ("max_tokens", "generated_tokens", "generatedtokens", "output_tokens", "completion_tokens"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Moments from the first one, sorted; tokens of the same length, or none."""

    times_ns: tuple[int, ...] = ()
    prompt_tokens: tuple[int, ...] = ()
    max_tokens: tuple[int, ...] = ()


def read_trace(path: Path, speed: float, complain: Callable[[str], None]) -> Trace:
    """Return the trace in a file; what is wrong with it goes to `complain`, with file and line, and gives an empty one.

    speed: 2 replays it in half the time.
    """
    rows: list[tuple[float, int, int]] = []
    try:
        for line, row in _rows(path):
            rows.append((_time_s(row["time"]), _tokens(row.get("prompt_tokens")), _tokens(row.get("max_tokens"))))
            if len(rows) > MOST_ROWS:
                raise _BadTraceError(line, f"more than {MOST_ROWS:,} rows; cut the trace")
    except _BadTraceError as error:
        complain(f"{path}:{error.line}: {error.what}")
        return Trace()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        complain(f"{path}: {getattr(error, 'strerror', None) or error}")
        return Trace()
    except (ValueError, KeyError) as error:
        complain(f"{path}:{line_of(path, len(rows))}: {error}")
        return Trace()
    if not rows:
        complain(f"{path}: there is no row in it")
        return Trace()
    rows.sort(key=lambda row: row[0])
    first_s = rows[0][0]
    return Trace(
        times_ns=tuple(round((time_s - first_s) / speed * NS_PER_S) for time_s, _, _ in rows),
        prompt_tokens=_column(row[1] for row in rows),
        max_tokens=_column(row[2] for row in rows),
    )


class _BadTraceError(Exception):
    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line, self.what = line, what


def line_of(path: Path, rows: int) -> int:
    """Return the line of the row after so many good ones."""
    return rows + (1 if path.suffix.lower() in (".jsonl", ".ndjson") else 2)


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        if path.suffix.lower() in (".jsonl", ".ndjson"):
            for line, text in enumerate(file, start=1):
                if text.strip():
                    try:
                        document = json.loads(text)
                    except ValueError as error:
                        raise _BadTraceError(line, f"no JSON: {error}") from error
                    if not isinstance(document, dict):
                        raise _BadTraceError(line, "a line is one JSON object")
                    yield line, _known(document, line)
            return
        for number, row in enumerate(csv.DictReader(file), start=2):
            yield number, _known(row, number)


def _known(row: Mapping[str, object], line: int) -> dict[str, object]:
    given = {str(name).strip().lower(): value for name, value in row.items()}
    known = {ours: given[theirs] for ours, names in _NAMES.items() for theirs in names if theirs in given}
    if "time" not in known:
        raise _BadTraceError(line, f"no time; call it {', '.join(_NAMES['time'])} (found {', '.join(given) or 'nothing'})")
    return known


def _time_s(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    text = str(value).strip()
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time; write seconds, or 2026-11-23T08:00:00.5") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()


def _tokens(value: object) -> int:
    if value is None or value == "":
        return -1
    try:
        tokens = int(str(value))
    except ValueError:
        raise ValueError(f"{value!r} is no number of tokens") from None
    if tokens < 0:
        raise ValueError(f"{tokens} is no number of tokens")
    return tokens


def _column(values: Iterator[int]) -> tuple[int, ...]:
    column = tuple(values)
    return column if any(value >= 0 for value in column) else ()
