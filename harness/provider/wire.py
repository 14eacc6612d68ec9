"""HTTP/1.1 on the bare transport: requests in, bytes out when the caller says so.

A library server would not let a fault send half a chunk or reset the connection.
"""

import asyncio
import os
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

import httptools

from harness.provider.framing import head

MAX_HEAD_BYTES = 32 * 1024
MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_PIPELINED = 16
MAX_UNREAD_BYTES = 1024 * 1024
"""A client that leaves more than this unread is dropped, so that it cannot hold memory that others need."""

REQUEST_NS = 30 * 1_000_000_000
"""A request must arrive whole within this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One whole request. Header names are in lower case; of a repeated header the last counts.

    chunked: the client speaks HTTP/1.1, so that an answer may be sent in chunks.
    received_ns: CLOCK_MONOTONIC when its last byte was read.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    keep_alive: bool
    chunked: bool
    received_ns: int


class InFlight(Protocol):
    """What is answering on a connection and must hear that its client is gone."""

    def client_gone(self) -> None:
        """Stop: nobody reads any more."""
        ...


class Connection(asyncio.Protocol):
    """One client. Requests are answered in their order; `serve` gets the next when `done` was called for the last."""

    def __init__(self, serve: Callable[["Connection", Request], None], connections: set["Connection"]) -> None:
        self._serve = serve
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._descriptor = -1
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self._busy = False
        self._deaf = False
        self._begun_ns: int | None = None
        self._start_message()
        self.in_flight: InFlight | None = None

    # -- from the loop ----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast(asyncio.Transport, transport)
        self._descriptor = transport.get_extra_info("socket").fileno()
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop passes it
        """Tell whoever is answering."""
        self._descriptor = -1
        self._connections.discard(self)
        self._waiting.clear()
        if self.in_flight is not None:
            self.in_flight.client_gone()

    def eof_received(self) -> bool:
        """Take the end of the client's side for the end of the client, as most servers do."""
        self._descriptor = -1
        return False

    def data_received(self, data: bytes) -> None:
        """Parse; a request that is too large or not HTTP is refused and ends the connection."""
        if self._deaf:
            return
        if self._begun_ns is None:
            self._begun_ns = time.monotonic_ns()
        if not self._in_body:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._go_on_without_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._refuse(400, "that is not an HTTP/1.1 request")
        if not self._in_body and self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(431, f"the request's head is above {MAX_HEAD_BYTES} bytes")
        self._advance()  # here and not in the parser's callback, which would take a bug of ours for bad HTTP

    # -- from the parser --------------------------------------------------------------------------------------------

    def _start_message(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._head_bytes = 0
        self._in_body = False

    def on_url(self, url: bytes) -> None:
        """Collect the target; it may come in pieces."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Invite the body where the client waits for it."""
        self._in_body = True
        if sum(len(name) + len(value) + 4 for name, value in self._headers.items()) + len(self._url) > MAX_HEAD_BYTES:
            self._refuse(431, f"the request's head is above {MAX_HEAD_BYTES} bytes")
        elif self._headers.get("expect", "").lower() == "100-continue" and not self._busy:
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Collect a piece of the body."""
        self._body_bytes += len(body)
        if self._body_bytes > MAX_BODY_BYTES:
            self._refuse(413, f"the request's body is above {MAX_BODY_BYTES} bytes")
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """Serve the request, or put it behind the one that is being answered."""
        if self._deaf or self._parser.should_upgrade():
            return
        path, _, query = self._url.decode("latin-1").partition("?")
        request = Request(
            method=self._parser.get_method().decode("latin-1"),
            path=path,
            query=query,
            headers=self._headers,
            body=b"".join(self._body),
            keep_alive=self._parser.should_keep_alive(),
            chunked=self._parser.get_http_version() == "1.1",
            received_ns=time.monotonic_ns(),
        )
        self._start_message()
        self._begun_ns = None
        if len(self._waiting) < MAX_PIPELINED:
            self._waiting.append(request)
        else:
            self.close()

    # -- to the client ----------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> bool:
        """Hand bytes to the socket now; return False when the client is gone, or was dropped for not reading."""
        transport = self._transport
        if self._descriptor < 0 or transport is None:
            return False
        if transport.get_write_buffer_size() == 0:
            # Not transport.write: uvloop would send at the end of its round, and our records would run ahead of the wire.
            try:
                sent = os.write(self._descriptor, data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.close(abruptly=True)
                return False
            if sent == len(data):
                return True
            data = data[sent:]
        transport.write(data)
        if transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            self.close(abruptly=True)
            return False
        return True

    def done(self, *, keep_alive: bool) -> None:
        """End the answer in flight; serve the next request, or close."""
        self._busy = False
        self.in_flight = None
        if not keep_alive or self._deaf:
            self.close()
        else:
            self._advance()

    def close(self, *, abruptly: bool = False) -> None:
        """Close: with FIN behind what was sent, or abruptly with RST."""
        self._deaf = True
        transport = self._transport
        if transport is None or self._descriptor < 0:
            return
        self._descriptor = -1
        if abruptly:
            # Linger of 0 s: the kernel throws away what is unsent and answers with RST.
            linger = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            transport.abort()
        else:
            transport.close()

    def overdue(self, now_ns: int) -> bool:
        """Return True when a request was begun and not finished in time."""
        return self._begun_ns is not None and now_ns - self._begun_ns > REQUEST_NS

    def _go_on_without_upgrade(self, rest: bytes) -> None:
        """Read the request again as if it had not wished for another protocol: clients ask for h2c in passing."""
        method = self._parser.get_method()
        if method == b"CONNECT":
            self._refuse(400, "this server is no proxy")
            return
        kept = [(name, value) for name, value in self._headers.items() if name not in ("upgrade", "connection")]
        lines = [method + b" " + self._url + b" HTTP/1.1", *[f"{name}: {value}".encode("latin-1") for name, value in kept]]
        self._start_message()
        self._parser = httptools.HttpRequestParser(self)
        self.data_received(b"\r\n".join(lines) + b"\r\n\r\n" + rest)

    def _advance(self) -> None:
        if self._waiting and not self._busy and self._descriptor >= 0:
            self._busy = True
            self._serve(self, self._waiting.popleft())

    def _refuse(self, status_code: int, message: str) -> None:
        if self._deaf:
            return
        self._deaf = True
        if self._busy or self._waiting:
            return  # answers to what came before go first; `done` closes behind them
        body = b'{"error":{"message":"%b","type":"invalid_request_error","param":null,"code":null}}' % message.encode()
        self.send(head(status_code, [("content-type", "application/json"), ("connection", "close")], len(body)) + body)
        self.close()
