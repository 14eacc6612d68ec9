"""What stands around the service in its benchmark: an exact provider, a plain FastAPI proxy, and a lean client.

    python benchmarks/service_peers.py provider TOKENS TOKEN_MS    |    python benchmarks/service_peers.py proxy URL

Both print `{"listen": "127.0.0.1:PORT"}`. The provider answers every question with TOKENS words, one every TOKEN_MS, each
due a fixed time after the one before was due. The proxy is what one writes in an afternoon: FastAPI and httpx, no guard.
"""

import asyncio
import json
import socket
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import cast

import uvloop

PATH = "/v1/chat/completions"
USAGE = {"prompt_tokens": 12, "completion_tokens": 0, "total_tokens": 12}


def event(fields: dict[str, object]) -> bytes:
    """Return one server-sent event in OpenAI's shape, as a chunk of HTTP."""
    base = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "sim-large"}
    data = b"data: " + json.dumps({**base, **fields}).encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(data), data)


class Provider(asyncio.Protocol):
    """Answers the requests of one connection, one after another. A protocol and timers: a task and streams would cost more
    of the machine that is being measured than what they do."""

    def __init__(self, tokens: int, token_s: float) -> None:
        self._token_s = token_s
        one: dict[str, object] = {"index": 0, "delta": {"content": "word "}, "finish_reason": None}
        self._tokens = [event({"choices": [one]})] * tokens
        usage = {**USAGE, "completion_tokens": tokens, "total_tokens": 12 + tokens}
        last: dict[str, object] = {"index": 0, "delta": {}, "finish_reason": "stop"}
        done = b"data: [DONE]\n\n"
        ends = event({"choices": [last]}) + event({"choices": [], "usage": usage})
        self._end = ends + b"%x\r\n%s\r\n0\r\n\r\n" % (len(done), done)
        message = {"role": "assistant", "content": "word " * tokens}
        whole = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage, "model": "sim-large"}
        body = json.dumps(whole).encode()
        self._whole = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        self._read = b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is written to."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its class

    def data_received(self, data: bytes) -> None:
        """Answer once a request is whole; nobody here sends a second one before."""
        self._read += data
        head, found, body = self._read.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]):
            return
        self._read = b""
        if json.loads(body).get("stream"):
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            self._next(0, self._loop.time() + self._token_s)
        else:
            self._loop.call_later(self._token_s * len(self._tokens), self._write, self._whole)

    def _next(self, number: int, due: float) -> None:
        self._loop.call_at(due, self._token, number, due)

    def _token(self, number: int, due: float) -> None:
        self._write(self._tokens[number])
        if number + 1 < len(self._tokens):
            self._next(number + 1, due + self._token_s)
        else:
            self._write(self._end)

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)


async def provide(tokens: int, token_ms: float) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(
        lambda: Provider(tokens, token_ms / 1000), "127.0.0.1", 0, backlog=2048
    )
    host, port = server.sockets[0].getsockname()[:2]
    print(json.dumps({"listen": f"{host}:{port}"}), flush=True)
    await server.serve_forever()


def proxy(url: str) -> None:
    """Serve the plain proxy until killed."""
    import httpx
    import uvicorn
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse, Response, StreamingResponse

    app = FastAPI()
    client = httpx.AsyncClient(timeout=30, trust_env=False, limits=httpx.Limits(max_connections=1000))

    @app.post(PATH)
    async def chat(request: Request) -> Response:
        body = await request.json()
        headers = {"authorization": request.headers.get("authorization", "")}
        if not body.get("stream"):
            answer = await client.post(f"{url}{PATH}", json=body, headers=headers)
            return JSONResponse(answer.json(), answer.status_code)

        async def pieces() -> AsyncIterator[bytes]:
            async with client.stream("POST", f"{url}{PATH}", json=body, headers=headers) as answer:
                async for piece in answer.aiter_raw():
                    yield piece

        return StreamingResponse(pieces(), media_type="text/event-stream")

    bound = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(json.dumps({"listen": f"127.0.0.1:{bound.getsockname()[1]}"}), flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False, loop="uvloop")).run(sockets=[bound])


@dataclass(slots=True)
class Asked:
    """One answer: its status, and when each piece of it came (monotonic seconds)."""

    status: int
    pieces_s: list[float]


class Connection(asyncio.Protocol):
    """A kept connection that costs the machine little: one request after another."""

    def __init__(self) -> None:
        self._read = b""
        self._chunked: bool | None = None  # None: the head has not come yet
        self._asked = Asked(0, [])
        self._ended: asyncio.Future[Asked] = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(cls, address: str) -> "Connection":
        """Connect to `host:port`."""
        host, _, port = address.rpartition(":")
        return (await asyncio.get_running_loop().create_connection(cls, host, int(port)))[1]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is written to."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its class

    @property
    def closed(self) -> bool:
        """Whether its peer has ended it."""
        return self._transport.is_closing()

    async def ask(self, request: bytes) -> Asked:
        """Send a request and read its answer to the end."""
        self._read, self._chunked, self._asked = b"", None, Asked(0, [])
        self._ended = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._ended

    def data_received(self, data: bytes) -> None:
        """Note when each piece came."""
        now = time.monotonic()
        read = self._read + data if self._read else data
        if self._chunked is None:
            head, found, rest = read.partition(b"\r\n\r\n")
            if not found:
                self._read = read
                return
            head, read = head.lower(), rest
            self._asked.status = int(head[9:12])
            self._chunked = b"transfer-encoding: chunked" in head
            self._length = 0 if self._chunked else int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        self._read = self._chunks(read, now) if self._chunked else self._whole(read, now)

    def connection_lost(self, error: Exception | None) -> None:
        """Whoever waits for an answer will get none."""
        if not self._ended.done():
            self._ended.set_exception(error or ConnectionResetError("closed before the answer's end"))

    def _chunks(self, read: bytes, now: float) -> bytes:
        while (line := read.find(b"\r\n")) >= 0 and len(read) >= (end := line + 4 + int(read[:line], 16)):
            if end == line + 4:
                self._ended.set_result(self._asked)
                return b""
            self._asked.pieces_s.append(now)
            read = read[end:]
        return read

    def _whole(self, read: bytes, now: float) -> bytes:
        if len(read) >= self._length:
            self._asked.pieces_s.append(now)
            self._ended.set_result(self._asked)
        return read


def request(key: str, *, stream: bool, cached: bool, number: int = 0) -> bytes:
    """Return a question as it goes over the wire. cached: one that repeats and may be answered from the cache."""
    said = "Explain step by step how the warranty for device 7 works." + ("" if cached else f" Case {number}.")
    fields: dict[str, object] = {"model": "sim-large", "messages": [{"role": "user", "content": said}], "stream": stream}
    body = json.dumps({**fields, **({"temperature": 0} if cached else {})}).encode()
    head = f"POST {PATH} HTTP/1.1\r\nhost: b\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


if __name__ == "__main__":
    if sys.argv[1] == "provider":
        uvloop.run(provide(int(sys.argv[2]), float(sys.argv[3])))
    else:
        proxy(sys.argv[2])
