"""Bytes that servers send, and a short way to read them."""

import json
from collections.abc import Iterable, Sequence

from harness.exchange import End, Exchange, Outcome, Reading
from harness.model.signals import Signals


def body(content: str | None = "hello", **more: object) -> bytes:
    document = {"choices": [{"index": 0, "message": {"role": "assistant", "content": content}}], **more}
    return json.dumps(document).encode()


def answer(
    payload: bytes = b"",
    *,
    status: str = "200 OK",
    headers: Iterable[str] = (),
    kind: str | None = "application/json",
    sized: bool = True,
) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers]
    if kind is not None:
        lines.append(f"Content-Type: {kind}")
    if sized:
        lines.append(f"Content-Length: {len(payload)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + payload


def chunk(text: str | None = "token", **more: object) -> bytes:
    document = {"choices": [{"index": 0, "delta": {} if text is None else {"content": text}}], **more}
    return b"data: " + json.dumps(document).encode() + b"\n\n"


USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}\n\n'
ROLE = b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n'
DONE = b"data: [DONE]\n\n"
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"


def chunked(part: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(part), part)


def read(
    pieces: Sequence[bytes],
    *,
    streamed: bool = False,
    end: End | None = None,
    signals: Signals | None = None,
    max_body_bytes: int = 1 << 20,
    digests: bool = False,
) -> Outcome:
    """Feed pieces a millisecond apart, from 10 ms on; a reader that is not satisfied sees the connection close."""
    exchange = Exchange(Reading(signals or Signals(), digests=digests), streamed=streamed, max_body_bytes=max_body_bytes)
    at_ns = 10_000_000
    for piece in pieces:
        complete = exchange.feed(piece, at_ns)
        if complete:
            return exchange.outcome(End.COMPLETE, at_ns + 5)
        at_ns += 1_000_000
    return exchange.outcome(end or End.CLOSED, at_ns)
