"""`python -m harness.load.instant`: a target that answers at once, for the engine to measure itself against.

Prints its port; ends with its standard input. No gevent here: it must cost as little as it can.
"""

import asyncio
import sys
from typing import cast

import uvloop

_BODY = b'{"choices":[{"message":{"content":"ok"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}'
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(_BODY), _BODY)


class _Instant(asyncio.Protocol):
    """Answers every read that ends a request; a request of the self-check fits one read."""

    _transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's does not say so itself

    def data_received(self, data: bytes) -> None:
        self._transport.write(_ANSWER * data.count(b"POST "))


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Instant, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)  # whoever started it closes this, dead or alive
    server.close()


if __name__ == "__main__":
    uvloop.run(_serve())
