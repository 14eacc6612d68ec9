"""One suite, two servers: ours, and the real Toxiproxy where a binary is at hand.

The real one is looked up in HARNESS_TOXIPROXY_SERVER, then as `toxiproxy-server` on the PATH.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest


class Server:
    """A running server and its API."""

    def __init__(self, kind: str, api: str) -> None:
        self.kind = kind
        self.api = api
        self.http = httpx.Client(base_url=f"http://{api}", trust_env=False, timeout=5)
        self._names = 0

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        if body is not None:
            options["content"] = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.request(method, path, **options)

    def proxy(self, upstream: "Peer | str", **fields: Any) -> "Proxied":
        self._names += 1
        upstream = upstream if isinstance(upstream, str) else upstream.address
        body = {"name": f"p{self._names}", "listen": "127.0.0.1:0", "upstream": upstream} | fields
        answer = self.call("POST", "/proxies", body)
        assert answer.status_code == 201, answer.text
        return Proxied(self, answer.json())

    def clear(self) -> None:
        for name in self.call("GET", "/proxies").json():
            self.call("DELETE", f"/proxies/{quote(name, safe='')}")


class Proxied:
    """A proxy on a server, and connections through it."""

    def __init__(self, server: Server, fields: dict[str, Any]) -> None:
        self.server = server
        self.name = fields["name"]
        self.listen = fields["listen"]
        self._open: list[socket.socket] = []

    def toxic(self, type_: str, *, stream: str = "downstream", toxicity: float = 1.0, **attributes: Any) -> str:
        body = {"type": type_, "stream": stream, "toxicity": toxicity, "attributes": attributes}
        answer = self.server.call("POST", f"/proxies/{self.name}/toxics", body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["name"])

    def edit(self, toxic: str, **fields: Any) -> None:
        answer = self.server.call("POST", f"/proxies/{self.name}/toxics/{toxic}", fields)
        assert answer.status_code == 200, answer.text

    def remove(self, toxic: str) -> None:
        answer = self.server.call("DELETE", f"/proxies/{self.name}/toxics/{toxic}")
        assert answer.status_code == 204, answer.text

    def update(self, **fields: Any) -> httpx.Response:
        return self.server.call("POST", f"/proxies/{self.name}", fields)

    def connect(self) -> socket.socket:
        host, port = self.listen.rsplit(":", 1)
        connection = socket.create_connection((host, int(port)), timeout=3)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


class Peer:
    """A TCP server that hands every connection to a function in a thread."""

    def __init__(self, talk: Callable[[socket.socket], None]) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.received: list[bytes] = []
        self.ended = threading.Event()
        self._talk = talk
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        with connection, contextlib.suppress(OSError):
            self._talk(connection)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


def _echo(connection: socket.socket) -> None:
    while data := connection.recv(65536):
        connection.sendall(data)


@pytest.fixture
def echo() -> Iterator[Peer]:
    """A server that sends back what it gets."""
    peer = Peer(_echo)
    yield peer
    peer.close()


@pytest.fixture
def peer() -> Iterator[Callable[[Callable[[socket.socket], None]], Peer]]:
    """Make a server out of a function."""
    made: list[Peer] = []

    def make(talk: Callable[[socket.socket], None]) -> Peer:
        made.append(Peer(talk))
        return made[-1]

    yield make
    for each in made:
        each.close()


@contextlib.contextmanager
def _ours() -> Iterator[Server]:
    command = [sys.executable, "-m", "harness.faultproxy", "--port", "0", "--seed", "7"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Server("ours", json.loads(process.stdout.readline())["api"])
        finally:
            process.terminate()


@contextlib.contextmanager
def _toxiproxy() -> Iterator[Server]:
    binary = os.environ.get("HARNESS_TOXIPROXY_SERVER") or shutil.which("toxiproxy-server")
    if not binary:
        pytest.skip("no toxiproxy-server: set HARNESS_TOXIPROXY_SERVER to its path")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [binary, "-host", "127.0.0.1", "-port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            server = Server("toxiproxy", f"127.0.0.1:{port}")
            deadline = time.monotonic() + 10
            while True:
                try:
                    server.call("GET", "/version")
                    break
                except httpx.TransportError:
                    assert time.monotonic() < deadline, "toxiproxy-server did not start"
                    time.sleep(0.02)
            yield server
        finally:
            process.terminate()


@pytest.fixture(scope="session", params=["ours", "toxiproxy"])
def running(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server process, one for the whole suite."""
    with _ours() if request.param == "ours" else _toxiproxy() as server:
        yield server


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    """A server without proxies."""
    running.clear()
    yield running
    running.clear()


@pytest.fixture(scope="session")
def our_process() -> Iterator[Server]:
    """Our server, for what the real one does not do."""
    with _ours() as server:
        yield server


@pytest.fixture
def ours(our_process: Server) -> Iterator[Server]:
    """Our server without proxies."""
    our_process.clear()
    yield our_process
    our_process.clear()
