"""A request's body, bounded in bytes and time, and the news that its client is gone."""

import asyncio
from collections.abc import Callable

from starlette.types import Receive

from reference_service.errors import InvalidRequest


class Disconnected(Exception):  # noqa: N818 - an event, not a fault
    """The client went away before its body was complete."""


class Inbox:
    """One request's incoming side. on_gone: called once if the client leaves after its body was read; None: nobody minds."""

    def __init__(self, receive: Receive, *, max_bytes: int, read_s: float, on_gone: Callable[[], None] | None) -> None:
        self._receive = receive
        self._max_bytes = max_bytes
        self._read_s = read_s
        self._on_gone = on_gone
        self._watch: asyncio.Task[None] | None = None

    async def body(self) -> bytes:
        """Return the whole body, then watch for the client's leaving. Raises InvalidRequest (413, 408), Disconnected."""
        try:
            async with asyncio.timeout(self._read_s):
                body = await self._read()
        except TimeoutError as error:
            raise InvalidRequest(
                "The body did not arrive in time.", status=408, code="slow_body", headers={"connection": "close"}
            ) from error
        if self._on_gone is not None:
            self._watch = asyncio.create_task(self._wait_for_end(self._on_gone))
        return body

    def close(self) -> None:
        """Stop watching."""
        if self._watch is not None:
            self._watch.cancel()

    async def _read(self) -> bytes:
        parts, size = [], 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            part = message.get("body", b"")
            size += len(part)
            if size > self._max_bytes:
                raise InvalidRequest(
                    f"The body is larger than {self._max_bytes} bytes.",
                    status=413,
                    code="body_too_large",
                    headers={"connection": "close"},
                )
            parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)

    async def _wait_for_end(self, on_gone: Callable[[], None]) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        on_gone()
