"""One keep-alive connection on gevent's loop: a raw non-blocking socket, its watchers, a timer.

gevent's own sockets make a timeout object and a watcher for every wait; these are made once for each connection here.
"""

import contextlib
import errno
import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent import monkey
from gevent.hub import get_hub

from harness.exchange import End, Exchange
from harness.load.address import Address
from harness.load.tls import TlsSession
from harness.model.error_kind import ErrorKind

_READABLE, _WRITABLE = 1, 2
_RESET, _CLOSED = End.RESET, End.CLOSED
_TIMED_OUT = object()
_CHUNK_BYTES = 16_384
_OWN_FAILURES = {
    errno.EMFILE: ErrorKind.TOO_MANY_FILES,
    errno.ENFILE: ErrorKind.TOO_MANY_FILES,
    errno.EADDRNOTAVAIL: ErrorKind.NO_LOCAL_PORT,
}


class Wire:
    """A connection to one address, opened when it is needed and again when the peer has closed it.

    Either a greenlet waits in it (`connect`, `talk`), between `begin` and `rest`, where everything shares one time limit;
    or the loop calls whoever listens, who then sends and receives what goes without waiting.
    """

    def __init__(self, address: Address, *, timeout_ns: int) -> None:
        self._address = address
        self._hub = get_hub()
        self._timers: dict[int, Any] = {}
        self._timer: Any = None
        self._usual_ns = timeout_ns
        self._tls: TlsSession | None = None
        self._socket: socket.socket | None = None
        self._poll: Any = None
        self._readable: Any = None
        self._writable: Any = None

    def begin(self, timeout_ns: int | None = None) -> None:
        """Start the time limit of one request: its own, or the wire's."""
        limit_ns = self._usual_ns if timeout_ns is None else timeout_ns
        timer = self._timers.get(limit_ns)
        if timer is None:
            timer = self._timers[limit_ns] = self._new_timer(limit_ns)
        self._timer = timer
        self._timer.again(gevent.getcurrent().switch, _TIMED_OUT)

    def rest(self) -> None:
        """End the time limit; the connection stays open."""
        self._timer.stop()

    def is_ready(self) -> bool:
        """Return True where there is a connection that its peer has not closed, nor said something unasked on."""
        return self._socket is not None and not self._is_stale()

    def connect(self) -> ErrorKind | None:
        """Make sure that there is a connection; return why there can be none."""
        if self.is_ready():
            return None
        self.close()
        try:
            self._open()
            trouble = self._handshake()
            if trouble is None and self._address.tls_name is not None:
                trouble = self._tls_handshake(self._address.tls_name)
                if trouble is not None:
                    self.close()
            return trouble
        except OSError as error:
            self.close()
            return _kind_of(error)

    def talk(self, request: bytes, exchange: Exchange) -> End:
        """Send a request and feed what comes back; moments are CLOCK_MONOTONIC's. The caller reads the outcome."""
        if self._send(request) is _TIMED_OUT:
            return End.TIMEOUT
        while True:
            if self._wait(self._readable) is _TIMED_OUT:
                return End.TIMEOUT
            got = self.receive()
            if isinstance(got, End):
                return got
            if got and exchange.feed(got, time.monotonic_ns()):
                return End.COMPLETE

    def listen(self, readable: Callable[[], None]) -> None:
        """Have the loop call whenever there is something to receive, for as long as the connection is open."""
        self._readable.start(readable)

    def receive(self) -> bytes | End:
        """Return what has come, empty where nothing of use has; or how the peer ended the connection."""
        assert self._socket is not None
        try:
            data = self._socket.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return b""
        except OSError:
            return _RESET
        if not data:
            return _CLOSED
        if self._tls is None:
            return data
        plain = self._tls.received(data)
        if plain is None:
            return End.RESET
        return End.CLOSED if not plain and self._tls.closed else plain

    def send(self, request: bytes) -> memoryview | None:
        """Send what the socket takes now; return what is left, for `send_on`, None where nothing is."""
        assert self._socket is not None
        data = request if self._tls is None else self._tls.sealed(request)
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return None
        return None if sent == len(data) else self.send_on(memoryview(data)[sent:])

    def send_on(self, left: memoryview) -> memoryview | None:
        """Go on. A peer that closed in the middle may have said why: that is for the reading to find."""
        assert self._socket is not None
        try:
            while left:
                left = left[self._socket.send(left) :]
        except BlockingIOError:
            return left
        except OSError:
            return None
        return None

    def when_writable(self, writable: Callable[[], None] | None) -> None:
        """Have the loop call whenever the socket takes more; None: no more of that."""
        self._writable.stop()
        if writable is not None:
            self._writable.start(writable)

    def close(self) -> None:
        """Drop the connection, if there is one."""
        for watcher in (self._readable, self._writable):
            if watcher is not None:
                watcher.stop()
                watcher.close()
        self._readable = self._writable = None
        self._tls = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def dispose(self) -> None:
        """Drop the connection and the timer: the wire is not used again."""
        self.close()
        for timer in self._timers.values():
            timer.stop()
            timer.close()
        self._timers.clear()

    def _open(self) -> None:
        plain = monkey.get_original("socket", "socket")  # Locust has replaced socket.socket by gevent's
        self._socket = plain(self._address.family, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._poll = monkey.get_original("select", "poll")()
        self._poll.register(self._socket, select.POLLIN)
        self._readable = self._hub.loop.io(self._socket.fileno(), _READABLE)
        self._writable = self._hub.loop.io(self._socket.fileno(), _WRITABLE)

    def _handshake(self) -> ErrorKind | None:
        assert self._socket is not None
        code = self._socket.connect_ex(self._address.sockaddr)
        if code == errno.EINPROGRESS:
            if self._wait(self._writable) is _TIMED_OUT:
                self.close()
                return ErrorKind.CONNECT_TIMEOUT
            code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, "connect")
        return None

    def _send(self, request: bytes) -> object:
        """Send all of it, and wait where the socket takes no more."""
        left = self.send(request)
        while left is not None:
            if self._wait(self._writable) is _TIMED_OUT:
                return _TIMED_OUT
            left = self.send_on(left)
        return None

    def _tls_handshake(self, name: str) -> ErrorKind | None:
        assert self._socket is not None
        self._tls = None
        tls = TlsSession(name)
        while True:
            try:
                done, out = tls.step()
            except ssl.SSLCertVerificationError:
                return ErrorKind.TLS_BAD_CERTIFICATE
            except ssl.SSLError:
                return ErrorKind.TLS_FAILED
            if out and self._send(out) is _TIMED_OUT:
                return ErrorKind.CONNECT_TIMEOUT
            if done:
                self._tls = tls
                return None
            if self._wait(self._readable) is _TIMED_OUT:
                return ErrorKind.CONNECT_TIMEOUT
            try:
                data = self._socket.recv(_CHUNK_BYTES)
            except BlockingIOError:
                continue
            if not data:
                return ErrorKind.TLS_FAILED
            tls.arrived(data)

    def _new_timer(self, timeout_ns: int) -> Any:
        return self._hub.loop.timer(timeout_ns / 1e9, timeout_ns / 1e9)

    def _is_stale(self) -> bool:
        """Return True when the peer closed an idle connection, or said something that nobody asked for."""
        assert self._socket is not None
        if not self._poll.poll(0):
            return False  # a look that costs less than the exception of a read that finds nothing
        if self._tls is None:
            return True
        try:
            while data := self._socket.recv(_CHUNK_BYTES):  # session tickets come unasked, and mean nothing
                if self._tls.received(data) != b"" or self._tls.closed:
                    return True
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def _wait(self, watcher: Any) -> object:
        watcher.start(gevent.getcurrent().switch)
        try:
            return self._hub.switch()
        finally:
            watcher.stop()


def _kind_of(error: OSError) -> ErrorKind:
    if isinstance(error, ConnectionRefusedError) or error.errno == errno.ECONNREFUSED:
        return ErrorKind.CONNECT_REFUSED
    with contextlib.suppress(KeyError):
        return _OWN_FAILURES[error.errno or 0]
    return ErrorKind.CONNECT_FAILED
