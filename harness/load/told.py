"""What became of a request that a client of the user's made: its answer or its exception to an outcome."""

import errno
import http.client
import ssl
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import gevent
import requests
import urllib3
from geventhttpclient._parser import HTTPParseError
from geventhttpclient.response import HTTPConnectionClosed
from locust.contrib.fasthttp import LocustBadStatusCode
from msgspec.structs import replace

from harness.exchange import MAX_BODY_BYTES, Outcome, Reading, never_answered
from harness.exchange.events import EventStream
from harness.exchange.reading import Seen
from harness.exchange.response import Response
from harness.model.error_kind import RESULT_OF_KIND, ErrorKind
from harness.model.outcome import Result
from harness.model.plan import Protocol

# The first that is anywhere in the chain of causes counts: the most telling stand first.
_BY_TYPE: tuple[tuple[tuple[type[BaseException], ...], ErrorKind], ...] = (
    ((ssl.SSLCertVerificationError,), ErrorKind.TLS_BAD_CERTIFICATE),
    ((ConnectionRefusedError,), ErrorKind.CONNECT_REFUSED),
    ((requests.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError), ErrorKind.CONNECT_TIMEOUT),
    ((requests.TooManyRedirects,), ErrorKind.REDIRECT),
    ((http.client.RemoteDisconnected,), ErrorKind.EOF_BEFORE_HEADERS),  # which Python calls a reset too
    ((ConnectionResetError, BrokenPipeError), ErrorKind.RESET),
    ((HTTPConnectionClosed,), ErrorKind.EOF_BEFORE_HEADERS),
    ((http.client.IncompleteRead, urllib3.exceptions.IncompleteRead), ErrorKind.TRUNCATED),
    ((requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError), ErrorKind.FIRST_BYTE_TIMEOUT),
    ((ssl.SSLError,), ErrorKind.TLS_FAILED),
    ((requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError, zlib.error), ErrorKind.CONTENT_ENCODING),
    ((HTTPParseError, http.client.HTTPException), ErrorKind.BAD_HTTP),
    ((requests.exceptions.ChunkedEncodingError,), ErrorKind.TRUNCATED),
    ((TimeoutError, gevent.Timeout), ErrorKind.FIRST_BYTE_TIMEOUT),
)
_BY_ERRNO = {
    errno.EMFILE: ErrorKind.TOO_MANY_FILES,
    errno.ENFILE: ErrorKind.TOO_MANY_FILES,
    errno.EADDRNOTAVAIL: ErrorKind.NO_LOCAL_PORT,
}
_INSIDE = {
    ErrorKind.EOF_BEFORE_HEADERS: ErrorKind.TRUNCATED,
    ErrorKind.FIRST_BYTE_TIMEOUT: ErrorKind.BODY_TIMEOUT,
    ErrorKind.BAD_HTTP: ErrorKind.TRUNCATED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a client told of one request. status_code: None where no head came. events: of a body that was read as a stream.

    is_timed: the moments of the events are those at which they came, not those at which a buffer was full.
    is_chat: the answer must be a chat completion, to be an answer. error: what the client raised or would raise.
    marked: True where the task said that it is good, False where it said that it failed.
    unread: the task did not take the body to its end.
    """

    status_code: int | None
    headers: Mapping[bytes, bytes]
    body: bytes
    events: EventStream | None
    is_timed: bool
    is_chat: bool
    error: BaseException | None
    marked: bool | None
    unread: bool
    started_ns: int
    first_byte_ns: int | None
    ended_ns: int


def outcome_of(told: Told, reading: Reading, *, timeout_ns: int) -> Outcome:
    """Return the outcome. What took longer than the plan's time limit timed out, however long its client was ready to wait."""
    broken = None if told.error is None else kind_of(told.error)
    if told.status_code is None:
        kind = broken or ErrorKind.CLIENT_FAILED
        return never_answered(kind, None if RESULT_OF_KIND[kind] is Result.UNSENT else told.ended_ns)
    outcome = reading.read(_seen(told), None if broken is None else _INSIDE.get(broken, broken))
    if not told.is_timed:
        outcome = replace(outcome, first_content_ns=None, last_content_ns=None, gap_p95_ns=None, gap_max_ns=None)
    if told.unread and broken is None and outcome.result in (Result.ANSWERED, Result.MALFORMED):
        if told.events is None or told.events.done_ns is None:
            outcome = _became(outcome, ErrorKind.LEFT_UNREAD)
    elif told.marked is False and outcome.result is Result.ANSWERED:
        outcome = _became(outcome, ErrorKind.MARKED_FAILED)
    elif told.marked is True and outcome.result is Result.ERROR:
        outcome = replace(outcome, result=Result.ANSWERED, error_kind=None)
    if outcome.result is Result.ANSWERED and told.ended_ns - told.started_ns > timeout_ns:
        outcome = _became(outcome, ErrorKind.BODY_TIMEOUT)
    return outcome


def kind_of(error: BaseException) -> ErrorKind | None:
    """Return what an exception of a client means; None for one that only repeats a status."""
    if isinstance(error, (requests.HTTPError, LocustBadStatusCode)):
        return None
    chain = list(_chain(error))
    for types, kind in _BY_TYPE:
        if any(isinstance(part, types) for part in chain):
            return kind
    for part in chain:
        if isinstance(part, OSError) and part.errno in _BY_ERRNO:
            return _BY_ERRNO[part.errno or 0]
    if any(isinstance(part, (OSError, urllib3.exceptions.NewConnectionError)) for part in chain):
        return ErrorKind.CONNECT_FAILED
    return ErrorKind.CLIENT_FAILED


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those that it was made of, each once: libraries wrap them in arguments as well as in causes."""
    waiting, seen = [error], set[int]()
    while waiting:
        part = waiting.pop(0)
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        inside = (part.__cause__, part.__context__, getattr(part, "reason", None), *part.args)
        waiting.extend(one for one in inside if isinstance(one, BaseException))


def _seen(told: Told) -> Seen:
    response = Response()
    response.status_code = told.status_code
    # The client has decompressed the body, and followed what it was sent to.
    response.headers = {name: value for name, value in told.headers.items() if name != b"content-encoding"}
    response.complete = True
    return Seen(
        response=response,
        events=told.events,
        streamed=told.events is not None,
        protocol=Protocol.OPENAI_CHAT if told.is_chat else Protocol.HTTP,
        body=told.body[:MAX_BODY_BYTES],
        body_bytes=len(told.body),
        first_byte_ns=told.first_byte_ns,
        ended_ns=told.ended_ns,
    )


def _became(outcome: Outcome, kind: ErrorKind) -> Outcome:
    return replace(outcome, result=RESULT_OF_KIND[kind], error_kind=kind, source=None, refusal=None)
