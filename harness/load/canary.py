"""A probe that is answered at once, on a warm connection: what it takes is what this machine and this loop add to every time.

It goes the way of every request, through the same wire, exchange and loop, to a small process that only answers. Neither the
target nor the pool has a part in it, so a slow canary is never the target's fault.
"""

import subprocess
import sys
import time
from collections.abc import Callable

import gevent

from harness.errors import LoadError
from harness.exchange import End, Exchange, Reading
from harness.load.address import resolve
from harness.load.wire import Wire
from harness.model.plan import Protocol
from harness.model.signals import Signals
from harness.model.units import NS_PER_S

EVERY_S = 0.1
_WITHIN_NS = 5 * NS_PER_S
_REQUEST = b"GET / HTTP/1.1\r\nhost: canary\r\n\r\n"
_ANSWERER = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
listener.settimeout(30)
print(listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
listener.close()
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
while True:
    try:
        if not connection.recv(4096):
            break
    except OSError:
        break
    connection.sendall(b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nok")
"""


class Canary:
    """Probes ten times a second. sang: told how long each took, None for one without an answer. Raises LoadError.

    The process that answers ends with its only connection, so also when we are killed.
    """

    def __init__(self, sang: Callable[[int | None], None]) -> None:
        self._sang = sang
        self._reading = Reading(Signals())
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _ANSWERER],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        if not port.isdigit():
            raise LoadError("the canary's answerer did not start", advice="is there memory and a process slot left?")
        self._wire = Wire(resolve(f"http://127.0.0.1:{int(port)}"), timeout_ns=_WITHIN_NS)
        self._probing: gevent.Greenlet | None = None
        self.probe()  # the first one connects

    def start(self) -> None:
        """Begin to probe."""
        self._probing = gevent.spawn(self._probe_on)

    def close(self) -> None:
        """Stop probing, and end the process that answers."""
        if self._probing is not None:
            self._probing.kill()
        self._wire.dispose()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.kill()
        self._process.wait()

    def probe(self) -> int | None:
        """Return how long one probe took, in nanoseconds; None where it was not answered."""
        wire = self._wire
        wire.begin()
        try:
            if wire.connect() is not None:
                return None
            began_ns = time.monotonic_ns()
            end = wire.talk(_REQUEST, Exchange(self._reading, streamed=False, protocol=Protocol.HTTP))
            return time.monotonic_ns() - began_ns if end is End.COMPLETE else None
        finally:
            wire.rest()

    def _probe_on(self) -> None:
        while True:
            gevent.sleep(EVERY_S)
            self._sang(self.probe())
