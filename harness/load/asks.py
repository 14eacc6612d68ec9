"""Each request that a task of a locustfile makes, from its start to its row."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol
from urllib.parse import urlsplit

from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession
from locust.exception import CatchResponseError, ResponseError

from harness.exchange import MAX_BODY_BYTES
from harness.exchange.events import EventStream
from harness.load.told import Told

IN_CONTEXT = "harness"
"""Where Locust's request event finds the ask again: in the context that Locust passes on with each request."""
_MAX_SENT_BYTES = 65_536


class Ask:
    """One request of a visitor. index: the place of its row; path: for people and for the protocol of the answer.

    A stream is read by the task, after Locust has told of the request: the moments are taken as the task is given the bytes.
    """

    __slots__ = (
        "asker",
        "body",
        "ended_ns",
        "error",
        "events",
        "heard",
        "index",
        "is_fast",
        "marked",
        "method",
        "name",
        "path",
        "pool_wait_ns",
        "response",
        "returned_ns",
        "sent",
        "started_ns",
        "streams",
        "zero_ns",
    )

    def __init__(self, index: int, *, method: str, url: str, streams: bool, started_ns: int, zero_ns: int) -> None:
        self.index = index
        self.asker: Any = None
        self.method = method
        self.path = urlsplit(url).path or "/"
        self.name = self.path
        self.streams = streams
        self.started_ns = started_ns
        self.pool_wait_ns: int | None = None
        self.zero_ns = zero_ns
        self.sent: object = None
        self.is_fast = False
        self.heard = False
        self.response: Any = None
        self.error: BaseException | None = None
        self.marked: bool | None = None
        self.returned_ns: int | None = None
        self.ended_ns: int | None = None
        self.body = bytearray()
        self.events: EventStream | None = None

    def hear(self, *, name: str, response: Any, exception: BaseException | None) -> None:
        """Take what Locust tells of it."""
        self.heard = True
        self.name = name
        self.response = response if self.response is None else self.response
        mark = getattr(self.response, "_manual_result", None)
        if isinstance(mark, Exception) or isinstance(exception, (ResponseError, CatchResponseError)):
            self.marked = False
        elif mark is True:
            self.marked = True
        elif self.error is None:
            self.error = exception
        if not self.streams and self.ended_ns is None:
            self.ended_ns = self.returned_ns or self._now_ns()

    def returned(self, response: Any) -> Any:
        """Take the answer that the task is given; that of a stream has its body still before it."""
        self.returned_ns = self._now_ns()
        self.response = response
        if self.streams and self._status() is not None:
            response.iter_content = self._watched(response.iter_content)
        return response

    @property
    def is_over(self) -> bool:
        """Return whether nothing more is to come: Locust has told of it, and the body came to its end."""
        return self.heard and (self.ended_ns is not None or self._status() is None)

    def told(self, *, chat_path: str) -> Told:
        """Return all that is known of it now."""
        status_code = self._status()
        headers = getattr(self.response, "headers", None) or {}
        body, events = bytes(self.body), self.events
        unread = self.streams and self.ended_ns is None
        ended_ns = self.ended_ns or self.returned_ns or self._now_ns()
        pairs = {str(name).lower().encode("latin-1"): str(value).encode("utf-8", "replace") for name, value in headers.items()}
        if status_code is not None and not self.streams:
            body = _content_of(self.response)
            if pairs.get(b"content-type", b"").lower().startswith(b"text/event-stream"):
                events = EventStream(MAX_BODY_BYTES)
                events.feed(body, ended_ns)
                events.closed(ended_ns)
        return Told(
            status_code=status_code,
            headers=pairs,
            body=body,
            events=events,
            is_timed=self.streams and not self.is_fast,
            is_chat=self.method == "POST" and self.path == chat_path,
            error=self.error,
            marked=self.marked,
            unread=unread,
            started_ns=self.started_ns,
            first_byte_ns=self.returned_ns if self.streams and status_code is not None else None,
            ended_ns=ended_ns,
        )

    def sent_bytes(self) -> bytes:
        """Return the body that the task gave, as far as it is kept."""
        if self.sent is None:
            return b""
        if isinstance(self.sent, (bytes, bytearray)):
            return bytes(self.sent[:_MAX_SENT_BYTES])
        text = self.sent if isinstance(self.sent, str) else json.dumps(self.sent, default=str)
        return text[:_MAX_SENT_BYTES].encode("utf-8", "replace")

    def _status(self) -> int | None:
        status_code = getattr(self.response, "status_code", None)
        return status_code if isinstance(status_code, int) and status_code > 0 else None

    def _watched(self, original: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        """Return `iter_content` that looks at what goes through it, and at how it ends."""

        def iter_content(*arguments: Any, **named: Any) -> Iterator[Any]:
            try:
                for chunk in original(*arguments, **named):
                    self._arrived(chunk.encode() if isinstance(chunk, str) else chunk)
                    yield chunk
            except Exception as error:
                self.error = self.error or error
                self.ended_ns = self._now_ns()
                raise
            self.ended_ns = self._now_ns()
            if self.events is not None:
                self.events.closed(self.ended_ns)

        return iter_content

    def _arrived(self, chunk: bytes) -> None:
        if self.events is None and not self.body:
            kind = str((getattr(self.response, "headers", None) or {}).get("content-type", ""))
            if kind.lower().startswith("text/event-stream"):
                self.events = EventStream(MAX_BODY_BYTES)
        if self.events is not None:
            self.events.feed(chunk, self._now_ns())
        elif len(self.body) < MAX_BODY_BYTES:
            self.body += chunk[: MAX_BODY_BYTES - len(self.body)]

    def _now_ns(self) -> int:
        return time.monotonic_ns() - self.zero_ns


class Asker(Protocol):
    """Who makes a row of each request of its own."""

    def asks(self, method: str, url: str, *, streams: bool, fast: bool) -> Ask | None:
        """Return the ask of a request that begins now; None for one that is no row."""

    def request_id(self, ask: Ask) -> str:
        """Return the id under which it is sent."""

    def broke(self, ask: Ask, error: BaseException) -> None:
        """The client raised, and Locust will not tell of it."""


class WatchedSessions:
    """Locust's two clients, looked at: each request gets an id and a start. `release` puts them back as they were.

    asker_of: who a session belongs to; None for nobody of ours.
    """

    def __init__(self, asker_of: Callable[[Any], Asker | None]) -> None:
        self._asker_of = asker_of
        self._originals: list[tuple[Any, Any]] = []
        self._watch(HttpSession, ("name", "catch_response", "context"), fast=False)
        self._watch(
            FastHttpSession,
            ("name", "data", "catch_response", "stream", "headers", "auth", "json", "allow_redirects", "context"),
            fast=True,
        )

    def release(self) -> None:
        """Put the clients back."""
        for session_class, original in self._originals:
            session_class.request = original
        self._originals.clear()

    def _watch(self, session_class: Any, positions: tuple[str, ...], *, fast: bool) -> None:
        original = session_class.request
        self._originals.append((session_class, original))
        asker_of = self._asker_of

        def request(session: Any, method: Any, url: Any, *arguments: Any, **named: Any) -> Any:
            asker = asker_of(session)
            if asker is None:
                return original(session, method, url, *arguments, **named)
            named |= dict(zip(positions, arguments, strict=False))
            ask = asker.asks(str(method), str(url), streams=bool(named.get("stream")), fast=fast)
            if ask is None:
                return original(session, method, url, **named)
            given = named.get("headers") or {}
            named["headers"] = {name: text for name, text in given.items() if str(name).lower() != "x-request-id"}
            named["headers"]["x-request-id"] = asker.request_id(ask)
            named["context"] = {**(named.get("context") or {}), IN_CONTEXT: ask}
            ask.sent = named.get("json") if named.get("json") is not None else named.get("data")
            try:
                return ask.returned(original(session, method, url, **named))
            except BaseException as error:
                asker.broke(ask, error)
                raise

        session_class.request = request


def _content_of(response: Any) -> bytes:
    """Return the body that a client has read; empty where it could not be."""
    try:
        return bytes(getattr(response, "content", None) or b"")
    except Exception:  # noqa: BLE001 - whatever the client made of a broken body, it is in the ask's error already
        return b""
