"""An HTTP/1.1 answer, read as its bytes arrive: bounded, never followed, never decompressed."""

from typing import Any

import httptools

from harness.model.error_kind import ErrorKind

MAX_HEAD_BYTES = 65_536
"""Bytes in a row that may arrive without any of them being body: the head, 1xx answers, trailers."""


class Response:
    """One answer. `feed` bytes, read the attributes, `closed` when the peer ended the connection in good order.

    status_code: None until a final (not 1xx) head is whole. headers: lower-case name to value, a repeated header
    joined by `, `. complete: the message ended as HTTP says. broken: why it cannot be read on; then nothing more is.
    """

    __slots__ = (
        "_framed",
        "_head_done",
        "_parser",
        "_pieces",
        "_sized",
        "_without_body",
        "broken",
        "complete",
        "headers",
        "leftover",
        "status_code",
    )

    def __init__(self) -> None:
        self._parser: Any = httptools.HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self._without_body = 0
        self._head_done = False
        self._framed = False
        self.headers: dict[bytes, bytes] = {}
        self.status_code: int | None = None
        self.complete = False
        self.leftover = False
        self.broken: ErrorKind | None = None

    @property
    def keep_alive(self) -> bool:
        """True when the connection may carry another request."""
        return self.complete and not self.leftover and self.broken is None and self._framed

    @property
    def is_event_stream(self) -> bool:
        """True when the head promises a good answer in server-sent events."""
        return (
            self.status_code is not None
            and 200 <= self.status_code < 300
            and self.headers.get(b"content-type", b"").lower().startswith(b"text/event-stream")
        )

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the wire; return the body bytes among them."""
        if self.broken is not None or self.complete:
            self.leftover = self.leftover or bool(data)
            return b""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.broken = ErrorKind.STATUS_OTHER
        except httptools.HttpParserError:
            if self.complete:
                self.leftover = True
            else:
                self.broken = ErrorKind.BAD_HTTP
        pieces = self._pieces
        if pieces:
            self._without_body = 0
            body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            pieces.clear()
            return body
        self._without_body += len(data)
        if self._without_body > MAX_HEAD_BYTES and not self.complete and self.broken is None:
            self.broken = ErrorKind.HEADERS_TOO_LARGE
        return b""

    def release(self) -> None:
        """Let the parser go, after the last byte: it holds us as we hold it, which only the collector would take apart."""
        self._parser = None

    def closed(self) -> None:
        """Take the end of the connection: it completes a body that has no other end."""
        if self._head_done and not self._framed and self.broken is None:
            self.complete = True

    # -- called by httptools ----------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Start a message; one after the final answer is nobody's."""
        self.leftover = self.complete

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header of the head; trailers are read and dropped."""
        if self._head_done:
            return
        headers, name = self.headers, name.lower()
        headers[name] = headers[name] + b", " + value if name in headers else value

    def on_headers_complete(self) -> None:
        """Decide how the body ends. 1xx is dropped, whatever it says."""
        if self.leftover:
            return
        status_code = self._parser.get_status_code()
        if status_code < 200:
            self.headers.clear()
            return
        self.status_code = status_code
        self._head_done = True
        # llhttp calls an answer without any framing "not to be kept alive", whatever its headers say.
        self._framed = self._parser.should_keep_alive() or self._ends_by_itself(status_code)

    def on_body(self, body: bytes) -> None:
        """Collect body bytes of the present `feed`."""
        if not self.leftover:
            self._pieces.append(body)

    def on_message_complete(self) -> None:
        """End the final answer; the end of a 1xx ends nothing."""
        if self._head_done:
            self.complete = True
            self._framed = self._framed and self._parser.should_keep_alive()

    def _ends_by_itself(self, status_code: int) -> bool:
        if status_code in (204, 304) or b"content-length" in self.headers:
            return True
        return self.headers.get(b"transfer-encoding", b"").lower().rsplit(b",", 1)[-1].strip() == b"chunked"
