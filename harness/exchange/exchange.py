"""One request's answer, sans-IO: bytes and times in, an outcome out. Whoever owns the socket drives it.

exchange = Exchange(reading, streamed=True)
while not exchange.feed(receive(), now()): ...
outcome = exchange.outcome(End.COMPLETE, now())
"""

import enum
import zlib

from msgspec.structs import replace

from harness.exchange.events import EventStream
from harness.exchange.outcome import Outcome
from harness.exchange.reading import Reading, Seen
from harness.exchange.response import Response
from harness.model.error_kind import RESULT_OF_KIND, ErrorKind
from harness.model.outcome import Result
from harness.model.plan import Protocol

MAX_BODY_BYTES = 1_048_576
"""What is kept of a body (or of one event of a stream); the rest is counted and dropped."""


class End(enum.Enum):
    """How the conversation on the wire ended, as the driver saw it."""

    COMPLETE = "complete"  # `feed` returned True
    CLOSED = "closed"  # the peer closed in good order
    RESET = "reset"
    TIMEOUT = "timeout"
    DRAIN_ENDED = "drain_ended"
    STOPPED = "stopped"


_COMPLETE, _CLOSED, _ANSWERED = End.COMPLETE, End.CLOSED, Result.ANSWERED  # a member asked of its enum costs a call each time


class Exchange:
    """The reading of one answer. Fed in order; moments are integers of any one clock, in nanoseconds.

    keep: give the events of a good stream with the outcome too; those of a bad one are always given.
    """

    __slots__ = (
        "_body",
        "_body_bytes",
        "_events",
        "_first_byte_ns",
        "_keep",
        "_last_byte_ns",
        "_max_body_bytes",
        "_protocol",
        "_reading",
        "_response",
        "_streamed",
    )

    def __init__(
        self,
        reading: Reading,
        *,
        streamed: bool,
        max_body_bytes: int = MAX_BODY_BYTES,
        protocol: Protocol = Protocol.OPENAI_CHAT,
        keep: bool = False,
    ) -> None:
        self._reading = reading
        self._protocol = protocol
        self._keep = keep
        self._response = Response()
        self._streamed = streamed
        self._events: EventStream | None = None  # made when the head says that events are what came
        self._max_body_bytes = max_body_bytes
        self._first_byte_ns: int | None = None
        self._last_byte_ns = 0
        self._body: bytes | bytearray = b""
        self._body_bytes = 0

    def feed(self, data: bytes, at_ns: int) -> bool:
        """Take bytes that arrived at `at_ns`; return True when nothing more is to be read."""
        response = self._response
        if self._first_byte_ns is None and data:
            self._first_byte_ns = at_ns
        self._last_byte_ns = at_ns
        body = response.feed(data)
        if body:
            if self._events is not None:
                self._body_bytes += len(body)
                self._events.feed(body, at_ns)
            else:
                self._take(body, at_ns)
        return response.complete or response.broken is not None

    @property
    def headers(self) -> dict[str, str]:
        """The answer's headers as far as they came, lower-case names."""
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self._response.headers.items()}

    def outcome(self, end: End, at_ns: int) -> Outcome:
        """Return what became of the request, whose conversation ended as told at `at_ns`.

        One that came to its own end ended with its last byte, not when somebody found the time to ask.
        """
        response, events = self._response, self._events
        if end is _CLOSED:
            response.closed()
        if events is not None and response.complete:
            events.closed(at_ns)
        seen = Seen(
            response=response,
            events=events,
            streamed=self._streamed,
            protocol=self._protocol,
            body=self._body if type(self._body) is bytes else bytes(self._body),
            body_bytes=self._body_bytes,
            first_byte_ns=self._first_byte_ns,
            ended_ns=self._last_byte_ns if end is _COMPLETE else at_ns,
        )
        broken = None if response.complete and response.broken is None else self._broken_by(end)
        if events is None and broken is None and response.headers.get(b"content-encoding") == b"gzip":
            seen, broken = self._unzipped(seen)
        outcome = self._reading.read(seen, broken)
        response.release()
        if events is not None and (self._keep or outcome.result is not _ANSWERED):
            return replace(outcome, body=b"".join(b"data: %b\n\n" % payload for payload in events.payloads))
        return outcome

    def _unzipped(self, seen: Seen) -> tuple[Seen, ErrorKind | None]:
        """Return the answer with its body decompressed, never to more than is kept of any body."""
        if seen.body_bytes > len(seen.body):
            return seen, ErrorKind.TOO_LARGE
        inflating = zlib.decompressobj(wbits=31)
        try:
            body = inflating.decompress(seen.body, self._max_body_bytes)
        except zlib.error:
            return seen, ErrorKind.CONTENT_ENCODING
        if not inflating.eof:
            return seen, ErrorKind.TOO_LARGE if inflating.unconsumed_tail else ErrorKind.CONTENT_ENCODING
        del seen.response.headers[b"content-encoding"]
        return replace(seen, body=body, body_bytes=len(body)), None

    def _take(self, body: bytes, at_ns: int) -> None:
        if self._streamed and self._body_bytes == 0 and self._response.is_event_stream:
            self._events = EventStream(self._max_body_bytes)
        self._body_bytes += len(body)
        if self._events is not None:
            self._events.feed(body, at_ns)
        elif not self._body:
            self._body = body[: self._max_body_bytes]  # most come whole, at once
        elif len(self._body) < self._max_body_bytes:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += body[: self._max_body_bytes - len(self._body)]

    def _broken_by(self, end: End) -> ErrorKind | None:
        """Return what ended the conversation before its own end; None where it came to that."""
        response = self._response
        if response.broken is not None:
            return response.broken
        if response.complete:
            return None
        match end:
            case End.COMPLETE | End.CLOSED:
                return ErrorKind.EOF_BEFORE_HEADERS if response.status_code is None else ErrorKind.TRUNCATED
            case End.TIMEOUT:
                return ErrorKind.FIRST_BYTE_TIMEOUT if self._first_byte_ns is None else ErrorKind.BODY_TIMEOUT
            case _:
                return ErrorKind(end.value)


def never_answered(kind: ErrorKind, at_ns: int | None) -> Outcome:
    """Return the outcome of a request that got no connection, or was never sent (`at_ns` None: it never ended)."""
    return Outcome(result=RESULT_OF_KIND[kind], error_kind=kind, ended_ns=at_ns)
