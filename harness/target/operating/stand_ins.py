"""Made-up instances of a service that die with a request in their hands: what is before them is seen to send it on or not.

An instance that is really killed would be a fault of the run; these are threads, and no user's request reaches them.
"""

import http.server
import threading
from types import TracebackType
from typing import cast

_MOST_BYTES = 1 << 20
_ASKED_EVERY_S = 0.05


class StandIns:
    """Some instances on ports of their own, for as long as a `with`: ready until they are told otherwise."""

    def __init__(self, count: int = 2) -> None:
        self.is_ready = True
        self._lock = threading.Lock()
        self._received = 0
        self._servers = [_Server(self) for _ in range(count)]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return `host:port` of each."""
        return tuple(f"127.0.0.1:{server.server_port}" for server in self._servers)

    @property
    def received(self) -> int:
        """Return how many requests were in the hands of one that died, over all of them."""
        with self._lock:
            return self._received

    def receive(self) -> None:
        """Count a request."""
        with self._lock:
            self._received += 1

    def __enter__(self) -> "StandIns":
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(_ASKED_EVERY_S,), name="stand-in", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, group: StandIns) -> None:
        self.group = group
        super().__init__(("127.0.0.1", 0), _Dying)


class _Dying(http.server.BaseHTTPRequestHandler):
    timeout = 5.0

    def do_GET(self) -> None:
        """Say whether it is ready."""
        self.send_response(200 if cast("_Server", self.server).group.is_ready else 503)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        """Take the whole request, and end the connection as the kernel does for a process that was killed."""
        told = self.headers.get("content-length", "0")
        self.rfile.read(min(int(told) if told.isdigit() else 0, _MOST_BYTES))
        cast("_Server", self.server).group.receive()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""
