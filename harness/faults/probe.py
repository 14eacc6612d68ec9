"""One connection through a link, to see from outside how the link behaves."""

import contextlib
import enum
import socket
import time
from dataclasses import dataclass

from harness.model.fault_kinds.requests import PROBE_PATH
from harness.model.target import Link


class Behaviour(enum.Enum):
    """What became of the probe."""

    REFUSED = "the connection was refused"
    ANSWERED = "an answer came"
    CLOSED = "the connection was accepted, then closed"
    RESET = "the connection was accepted, then reset"
    SILENT = "the connection was accepted, and nothing came"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """How the link behaved, and how long after the question."""

    behaviour: Behaviour
    after_ns: int


def question(link: Link) -> bytes:
    """Return bytes that the link's server answers at once and without effect; empty where none are known."""
    if link.name.startswith("provider."):
        return f"GET {PROBE_PATH} HTTP/1.1\r\nHost: {link.upstream}\r\nConnection: close\r\n\r\n".encode()
    if "postgres" in link.name:
        return b"\x00\x00\x00\x08\x04\xd2\x16\x2f"  # SSLRequest: one byte comes back
    if "redis" in link.name or "valkey" in link.name:
        return b"PING\r\n"
    return b""


def probe(link: Link, *, within_s: float, see_off: bool = False) -> Probed:
    """Connect, ask and wait for the first byte or the end, `within_s` seconds at the most. Raises nothing.

    see_off: return only when the other side has ended the connection too, or a moment has passed.
    A connection that hangs before it is accepted is REFUSED as well: either way nobody gets through.
    """
    started_ns = time.monotonic_ns()
    try:
        connection = socket.create_connection(_address(link.listen), timeout=1.0)
    except OSError:
        return Probed(behaviour=Behaviour.REFUSED, after_ns=time.monotonic_ns() - started_ns)
    with connection:
        behaviour = _listen(connection, question(link), within_s)
        seen = Probed(behaviour=behaviour, after_ns=time.monotonic_ns() - started_ns)
        if see_off and behaviour in {Behaviour.ANSWERED, Behaviour.SILENT}:
            _see_off(connection)
        return seen


def _listen(connection: socket.socket, ask: bytes, within_s: float) -> Behaviour:
    try:
        connection.settimeout(within_s)
        connection.sendall(ask)
        return Behaviour.ANSWERED if connection.recv(1) else Behaviour.CLOSED
    except TimeoutError:
        return Behaviour.SILENT
    except OSError:
        return Behaviour.RESET


def _see_off(connection: socket.socket) -> None:
    """Wait a moment for the other side's end, so that a toxic added next does not meet the last of this connection."""
    with contextlib.suppress(OSError):
        connection.settimeout(0.02)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    return ("127.0.0.1" if host in {"", "0.0.0.0", "::"} else host), int(port)  # noqa: S104 - not bound, connected to
