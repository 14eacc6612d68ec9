"""A server that does to a client what its path says; slow enough to leave the machine to others, endless all the same.

python load_hostile.py     prints its port
"""

import contextlib
import socket
import sys
import threading
import time

OK = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{"ok":true}'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
ONCE = {
    "/good": OK,
    "/continue": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK,
    "/no-content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "/utf-8": HEAD + b'content-length: 4\r\n\r\n"\xff\xfe"',
    "/too-short": HEAD + b"content-length: 4\r\n\r\n{}and more than was said",
    "/too-long": HEAD + b"content-length: 400\r\n\r\n{}",
    "/two-lengths": HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{} ",
    "/garbage": bytes(range(256)),
}
BEFORE = {
    "/headers": b"HTTP/1.1 200 OK\r\n",
    "/header": b"HTTP/1.1 200 OK\r\nx: ",
    "/huge": HEAD + b"content-length: 10737418240\r\n\r\n",
    "/endless": b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
}
AGAIN = {
    "/headers": b"x-more: and more\r\n" * 500,
    "/header": b"a" * 8192,
    "/huge": b"\x00" * 65536,
    "/endless": b'15\r\ndata: {"choices":[]}\n\r\n' * 50,
}


def converse(connection: socket.socket) -> None:
    """Answer requests without a body until the peer has had enough."""
    with connection, contextlib.suppress(OSError):
        while True:
            asked = b""
            while b"\r\n\r\n" not in asked:
                data = connection.recv(65536)
                if not data:
                    return
                asked += data
            path = asked.split(b" ", 2)[1].decode()
            if path in ONCE:
                connection.sendall(ONCE[path])
                if path not in ("/good", "/continue", "/no-content"):
                    return
                continue
            connection.sendall(BEFORE[path])
            while True:
                connection.sendall(AGAIN[path])
                time.sleep(0.01)


def main() -> None:
    """Serve until killed."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        while True:
            threading.Thread(target=converse, args=(listener.accept()[0],), daemon=True).start()


if __name__ == "__main__":
    main()
