"""A made-up standby: it speaks as much of PostgreSQL's protocol as `psql` needs, follows somebody, and notes who promotes it.

A real one would be a second server and a copy of the database, in a run that measures the first; that the operators' program
asks to promote it is what a real one would obey.
"""

import contextlib
import socketserver
import struct
import threading
from types import TracebackType
from typing import cast

_ASKED_EVERY_S = 0.05
_MOST_BYTES = 65_536
_PLAIN_TEXT_ONLY = (80877103, 80877104)  # what a client asks first: is there TLS, is there Kerberos


class StandbyStandIn:
    """One server on a port of its own, for as long as a `with`. Its clients are believed whatever they call themselves."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: list[str] = []
        self._server = _Server(self)

    @property
    def address(self) -> str:
        """Return `host:port`."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def asked(self, word: str = "") -> int:
        """Return how many statements came that hold a word."""
        with self._lock:
            return sum(word in statement for statement in self._asked)

    def answer(self, statement: str) -> str:
        """Note a statement, and return the one value that a standby has for it, which follows and has applied everything."""
        with self._lock:
            self._asked.append(statement)
        if "pg_promote" in statement or "pg_is_in_recovery" in statement:
            return "t"
        return "0" if "lsn" in statement else ""

    def __enter__(self) -> "StandbyStandIn":
        threading.Thread(target=self._server.serve_forever, args=(_ASKED_EVERY_S,), name="standby", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, standby: StandbyStandIn) -> None:
        self.standby = standby
        super().__init__(("127.0.0.1", 0), _Session)


class _Session(socketserver.StreamRequestHandler):
    timeout = 5.0

    def handle(self) -> None:
        """Let the client in, and answer its statements until it leaves."""
        with contextlib.suppress(OSError, EOFError, UnicodeDecodeError):
            while self._first_number() in _PLAIN_TEXT_ONLY:
                self.wfile.write(b"N")
            self.wfile.write(_message(b"R", struct.pack("!i", 0)) + _parameter("server_version", "18.0"))
            self.wfile.write(_parameter("client_encoding", "UTF8") + _message(b"Z", b"I"))
            while (kind := self.rfile.read(1)) not in (b"", b"X"):
                text = self._body()
                if kind == b"Q":
                    value = cast("_Server", self.server).standby.answer(text.rstrip(b"\0").decode())
                    self.wfile.write(_row(value))

    def _first_number(self) -> int:
        return int(struct.unpack("!i", self._body()[:4])[0])

    def _body(self) -> bytes:
        length = struct.unpack("!i", self._whole(4))[0] - 4
        if not 0 <= length <= _MOST_BYTES:
            raise EOFError
        return self._whole(length)

    def _whole(self, size: int) -> bytes:
        read = self.rfile.read(size)
        if len(read) < size:
            raise EOFError
        return read


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _parameter(name: str, value: str) -> bytes:
    return _message(b"S", name.encode() + b"\0" + value.encode() + b"\0")


def _row(value: str) -> bytes:
    """Return one row of one column of text, and that all is said."""
    text = value.encode()
    column = _message(b"T", struct.pack("!h", 1) + b"value\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0))
    return column + _message(b"D", struct.pack("!hi", 1, len(text)) + text) + _message(b"C", b"SELECT 1\0") + _message(b"Z", b"I")
