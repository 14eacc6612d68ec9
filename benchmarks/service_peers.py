"""What stands around the service in its benchmark: an exact provider, a plain FastAPI proxy, and a lean client.

    python benchmarks/service_peers.py provider TOKENS TOKEN_MS    |    python benchmarks/service_peers.py proxy URL

Both print `{"listen": "127.0.0.1:PORT"}`. The provider answers every question with TOKENS words, one every TOKEN_MS, each
due a fixed time after the one before was due. The proxy is what one writes in an afternoon: FastAPI and httpx, no guard.
"""

import asyncio
import contextlib
import json
import socket
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import uvloop

PATH = "/v1/chat/completions"
USAGE = {"prompt_tokens": 12, "completion_tokens": 0, "total_tokens": 12}


def event(fields: dict[str, object]) -> bytes:
    """Return one server-sent event in OpenAI's shape, as a chunk of HTTP."""
    base = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "sim-large"}
    data = b"data: " + json.dumps({**base, **fields}).encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(data), data)


class Provider:
    """Answers one connection after another, several requests each."""

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

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until the client leaves."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
                body = json.loads(await reader.readexactly(length))
                await (self._stream(writer) if body.get("stream") else self._answer(writer))
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self._token_s * len(self._tokens))
        writer.write(self._whole)

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        due = time.monotonic()
        for token in self._tokens:
            due += self._token_s
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            writer.write(token)
        writer.write(self._end)
        await writer.drain()


async def provide(tokens: int, token_ms: float) -> None:
    """Serve until killed."""
    provider = Provider(tokens, token_ms / 1000)
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0, backlog=2048)
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


class Connection:
    """A kept connection that costs the machine little: one request after another."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, address: str) -> "Connection":
        """Connect to `host:port`."""
        host, _, port = address.rpartition(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def ask(self, request: bytes) -> Asked:
        """Send a request and read its answer to the end."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        pieces: list[float] = []
        if b"transfer-encoding: chunked" in head:
            while True:
                size = int(await self._reader.readuntil(b"\r\n"), 16)
                await self._reader.readexactly(size + 2)
                if size == 0:
                    break
                pieces.append(time.monotonic())
        else:
            await self._reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
            pieces.append(time.monotonic())
        return Asked(int(head[9:12]), pieces)


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
