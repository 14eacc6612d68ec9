"""`exchanges/`: what was asked and answered, of every bad request and some good ones; capped, and without a secret."""

import re

import msgspec

from harness.exchange import Outcome
from harness.load.relay import append, exchanges_path
from harness.load.schedule import Schedule
from harness.load.senders import Asked
from harness.model.assignment import Assignment
from harness.model.outcome import BAD_RESULTS, Result
from harness.rundir import RunDirectory

FIRST_GOOD = 10
"""So many good ones of each class at the beginning, to see what the load looks like,"""
EVERY_GOOD = 500
"""and one in so many after that."""
MAX_TEXT_BYTES = 8_192
MAX_FILE_BYTES = 16 * 1024 * 1024
MASK = b"***"
_LIKE_A_KEY = re.compile(rb"[A-Za-z0-9_.~+/=-]{4,}")


class KeptExchanges:
    """One worker's file of exchanges, a JSON object a line. Raises StorageError from `flush`."""

    def __init__(self, directory: RunDirectory, schedule: Schedule, asked: Asked, assignment: Assignment) -> None:
        self._path = exchanges_path(directory, assignment.worker)
        self._schedule = schedule
        self._asked = asked
        self._keys = {name: key.encode() for name, key in assignment.keys.items() if key}
        self._secrets = frozenset(self._keys.values())
        self._wanted: set[int] = set()
        self._good: dict[str, int] = {}
        self._lines: list[bytes] = []
        self._bytes = 0

    def wants(self, index: int) -> bool:
        """Return True where a good answer is one of those to keep."""
        name = self._schedule.requests[self._schedule.request[index]].user_class.name
        seen = self._good[name] = self._good.get(name, 0) + 1
        if seen > FIRST_GOOD and seen % EVERY_GOOD:
            return False
        self._wanted.add(index)
        return True

    def ended(self, index: int, outcome: Outcome) -> None:
        """Keep an exchange, if it is one to keep and there is room. One that was never sent has none."""
        is_wanted = index in self._wanted
        if not is_wanted and outcome.result not in BAD_RESULTS:
            return
        self._wanted.discard(index)
        if outcome.result in (Result.UNSENT, Result.CANCELLED) or self._bytes > MAX_FILE_BYTES:
            return
        name = self._schedule.requests[self._schedule.request[index]].user_class.name
        line = msgspec.json.encode(
            {
                "seq": self._schedule.seq[index],
                "request_id": self._asked.request_id(index),
                "user_class": name,
                "result": outcome.result.value,
                "error_kind": None if outcome.error_kind is None else outcome.error_kind.value,
                "status_code": outcome.status_code,
                "request": self._text(index, self._asked.request(index)),
                "response": self._text(index, outcome.body),
                "response_bytes": outcome.body_bytes,
            }
        )
        self._lines.append(line)
        self._bytes += len(line)

    def flush(self) -> None:
        """Put what was kept on the disk."""
        if self._lines:
            append(self._path, b"\n".join(self._lines) + b"\n")
            self._lines.clear()

    def _text(self, index: int, data: bytes) -> str:
        own = self._keys.get(self._schedule.principals[self._schedule.principal[index]])
        if own is not None:
            data = data.replace(own, MASK)
        # A target that leaks may show somebody else's key: looked for by its shape, as one look at each of 5,000 keys is slow.
        data = _LIKE_A_KEY.sub(lambda found: MASK if found[0] in self._secrets else found[0], data)
        cut = len(data) - MAX_TEXT_BYTES
        text = data[:MAX_TEXT_BYTES].decode("utf-8", "replace")
        return f"{text}... ({cut} bytes more)" if cut > 0 else text
