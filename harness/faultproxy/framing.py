"""How an HTTP/1.1 message is framed: its head, and the body that the head announces. Sans-IO, and changes nothing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

MAX_HEAD_BYTES = 64 * 1024
_MAX_LINE_BYTES = 8 * 1024
_REQUEST_LINE = re.compile(rb"[A-Z]{3,20} \S{1,8000} HTTP/1\.[01]\r?\n")
_REQUEST_BEGUN = re.compile(rb"[A-Z]{1,20}(?: |\Z)")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_SIZE = re.compile(rb"[0-9a-fA-F]{1,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The first line of a message in its three parts, and its fields by their names in lower case."""

    first: str
    second: str
    fields: Mapping[str, str]


class NotHttpError(Exception):
    """These bytes are no HTTP/1.1 message."""


class Length:
    """A body of a known length."""

    def __init__(self, length: int) -> None:
        self._left = length

    @property
    def ended(self) -> bool:
        """Whether all of it has been taken."""
        return self._left == 0

    def take(self, data: bytes) -> int:
        """Return how many of these bytes are the body's."""
        taken = min(len(data), self._left)
        self._left -= taken
        return taken


class UntilTheEnd:
    """A body that ends with the connection."""

    ended = False

    def take(self, data: bytes) -> int:
        """Return how many of these bytes are the body's: all."""
        return len(data)


class Chunked:
    """A body in chunks, with its trailers."""

    def __init__(self) -> None:
        self.ended = False
        self._left = 0
        self._line = b""
        self._last = False

    def take(self, data: bytes) -> int:
        """Return how many of these bytes are the body's. Raises NotHttpError."""
        position = 0
        while position < len(data) and not self.ended:
            if self._left:
                step = min(self._left, len(data) - position)
                self._left -= step
                position += step
                continue
            end = data.find(b"\n", position)
            self._line += data[position : end + 1 if end >= 0 else len(data)]
            if len(self._line) > _MAX_LINE_BYTES:
                raise NotHttpError
            if end < 0:
                return len(data)
            position = end + 1
            self._finish_line()
        return position

    def _finish_line(self) -> None:
        line, self._line = self._line.strip(), b""
        if self._last:
            self.ended = not line
            return
        size = line.partition(b";")[0].strip()
        if not _SIZE.fullmatch(size):
            raise NotHttpError
        length = int(size, 16)
        self._last = length == 0
        self._left = length + 2 if length else 0


Body = Length | UntilTheEnd | Chunked


def read_head(data: bytes) -> Head:
    """Return a complete head, as it is read by whoever is not strict. Raises NotHttpError."""
    lines = data.decode("latin-1").splitlines()
    words = lines[0].split(" ", 2) if lines else []
    if len(words) < 2:
        raise NotHttpError
    fields: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            key = name.strip().lower()
            fields[key] = f"{fields[key]}, {value.strip()}" if key in fields else value.strip()
    return Head(first=words[0], second=words[1], fields=fields)


def body_of(fields: Mapping[str, str], otherwise: Body) -> Body:
    """Return the body that these fields announce, else the other. Raises NotHttpError."""
    if "chunked" in fields.get("transfer-encoding", "").lower():
        return Chunked()
    length = fields.get("content-length")
    if length is None:
        return otherwise
    if not (length.isascii() and length.isdigit() and len(length) < 19):
        raise NotHttpError
    return Length(int(length))


def begins_request(data: bytes) -> bool:
    """Return whether these bytes begin with a whole request line."""
    return _REQUEST_LINE.match(data) is not None


def may_begin_request(data: bytes) -> bool:
    """Return whether these bytes could be the start of a request."""
    return _REQUEST_BEGUN.match(data) is not None


def may_begin_response(data: bytes) -> bool:
    """Return whether these bytes could be the start of a response."""
    return data[:7] == b"HTTP/1."[: len(data)]


def head_end(data: bytes) -> int:
    """Return where the head ends, -1 where it is not whole yet. Raises NotHttpError where it is too long to be one."""
    found = _HEAD_END.search(data)
    if found is not None:
        return found.end()
    if len(data) > MAX_HEAD_BYTES:
        raise NotHttpError
    return -1
