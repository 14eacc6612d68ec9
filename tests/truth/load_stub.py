"""A small server of our own: it answers as its path's query says, and nothing like the provider's code.

python load_stub.py MODE     prints its port; modes: instant, slow, silent, reset, close, stall, budget, garbage
"""

import contextlib
import json
import socket
import struct
import sys
import threading
import time

BODY = json.dumps(
    {"choices": [{"message": {"role": "assistant", "content": "ok"}}], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
).encode()
EVENT = b'data: {"choices":[{"delta":{"content":"ok"}}]}\n\n'


def sized(body: bytes, status: str = "200 OK", kind: str = "application/json") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def serve(connection: socket.socket, mode: str) -> None:
    with connection, contextlib.suppress(OSError):
        converse(connection, mode)


def converse(connection: socket.socket, mode: str) -> None:
    buffer = b""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        while b"\r\n\r\n" not in buffer:
            data = connection.recv(65536)
            if not data:
                return
            buffer += data
        head, _, buffer = buffer.partition(b"\r\n\r\n")
        length = int(next(line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")))
        while len(buffer) < length:
            buffer += connection.recv(65536)
        body, buffer = buffer[:length], buffer[length:]
        if not answer(connection, mode, streamed=b'"stream":true' in body, text=body):
            return


def answer(connection: socket.socket, mode: str, *, streamed: bool, text: bytes) -> bool:
    """Answer one request; return False to close the connection."""
    if mode == "silent":
        time.sleep(60)
    if mode == "slow":
        time.sleep(0.3)
    if mode == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    if mode == "garbage":
        connection.sendall(b"\x00\xff" * 100)
        return False
    if mode == "budget":
        connection.sendall(sized(b'{"error":{"type":"budget_exceeded"}}', "402 Payment Required"))
    elif streamed:
        connection.sendall(sized(EVENT + b"data: [DONE]\n\n", kind="text/event-stream"))
    else:
        connection.sendall(sized(BODY))
    return mode != "close"


def main() -> None:
    mode = sys.argv[1]
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection, mode), daemon=True).start()


if __name__ == "__main__":
    main()
