"""One call to the real provider: HTTP/1.1 on a connection of its own, its answer handed on piece by piece as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping, Sequence

import httptools

from harness.provider.relay.order import Upstream

CONNECT_WITHIN_S = 10.0
SILENT_WITHIN_S = 120.0
_READ_BYTES = 65_536


class UnreachableError(Exception):
    """The real provider could not be asked, or broke off before the head of its answer was through."""


class BrokenOffError(Exception):
    """Its answer ended in the middle."""


class UpstreamCall:
    """An answer that is being read. status_code and headers (lower-case names) are known once it is open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.status_code = 0
        self.headers: dict[str, str] = {}
        self._reader = reader
        self._writer = writer
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self._head_is_whole = False
        self._whole = False

    @classmethod
    async def open(
        cls, upstream: Upstream, method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> UpstreamCall:
        """Ask, and return once the head of the answer is there. Raises UnreachableError."""
        context = ssl.create_default_context() if upstream.tls else None
        try:
            connecting = asyncio.open_connection(
                upstream.address, upstream.port, ssl=context, server_hostname=upstream.host if upstream.tls else None
            )
            reader, writer = await asyncio.wait_for(connecting, CONNECT_WITHIN_S)
        except (OSError, TimeoutError) as error:
            raise UnreachableError(f"the real provider cannot be reached: {_why(error)}") from error
        call = cls(reader, writer)
        try:
            writer.write(_request(upstream, method, path, headers, body))
            while not call._head_is_whole:
                await call._read()
        except (OSError, BrokenOffError, TimeoutError) as error:
            call.close()
            raise UnreachableError(f"the real provider broke off before it answered: {_why(error)}") from error
        except BaseException:
            call.close()
            raise
        return call

    async def piece(self) -> bytes:
        """Return the next bytes of the body; none once it is whole. Raises BrokenOffError."""
        while not self._pieces:
            if self._whole:
                return b""
            await self._read()
        data, self._pieces = b"".join(self._pieces), []
        return data

    async def rest(self) -> bytes:
        """Return all that is left of the body. Raises BrokenOffError."""
        body = bytearray()
        while piece := await self.piece():
            body += piece
        return bytes(body)

    def close(self) -> None:
        """Hang up; the provider stops generating where it cares."""
        with contextlib.suppress(OSError):
            self._writer.transport.abort()

    # -- from the parser ------------------------------------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header."""
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Note the status; a 1xx is no answer yet."""
        self.status_code = self._parser.get_status_code()
        self._head_is_whole = self.status_code >= 200
        if not self._head_is_whole:
            self.headers.clear()

    def on_body(self, body: bytes) -> None:
        """Collect a piece of the body."""
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        """Note the end."""
        self._whole = self._head_is_whole

    async def _read(self) -> None:
        try:
            data = await asyncio.wait_for(self._reader.read(_READ_BYTES), SILENT_WITHIN_S)
            if data:
                self._parser.feed_data(data)
                return
        except (OSError, TimeoutError, httptools.HttpParserError) as error:
            raise BrokenOffError(_why(error)) from error
        if self._head_is_whole and "content-length" not in self.headers and "transfer-encoding" not in self.headers:
            self._whole = True  # a body that ends with its connection
        elif not self._whole:
            raise BrokenOffError("the connection ended in the middle")


def passed_on(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the headers of an answer that the caller gets to see, without those of the connection."""
    kept = ("content-type", "cache-control", "retry-after", "x-request-id", "openai-processing-ms", "openai-model")
    return [(name, value) for name, value in headers.items() if name in kept or name.startswith("x-ratelimit-")]


def _request(upstream: Upstream, method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
    lines = [
        f"{method} {upstream.base_path}{path} HTTP/1.1",
        f"host: {upstream.host_header}",
        f"authorization: Bearer {upstream.key}",
        "accept-encoding: identity",
        "connection: close",
        *(f"{name}: {value}" for name, value in headers),
    ]
    if body or method == "POST":
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def _why(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "nothing came in time"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or 'refused'}"
    return str(error) or type(error).__name__
