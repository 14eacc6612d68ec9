"""One connection through a link, to see from outside how the link behaves."""

import enum
import socket
import time
from dataclasses import dataclass

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
        return f"GET /harness-probe HTTP/1.1\r\nHost: {link.upstream}\r\nConnection: close\r\n\r\n".encode()
    if "postgres" in link.name:
        return b"\x00\x00\x00\x08\x04\xd2\x16\x2f"  # SSLRequest: one byte comes back
    if "redis" in link.name or "valkey" in link.name:
        return b"PING\r\n"
    return b""


def probe(link: Link, *, within_s: float) -> Probed:
    """Connect, ask and wait for the first byte or the end, `within_s` seconds at the most. Raises nothing.

    A connection that hangs before it is accepted is REFUSED as well: either way nobody gets through.
    """
    started_ns = time.monotonic_ns()
    behaviour = _behave(link, within_s)
    return Probed(behaviour=behaviour, after_ns=time.monotonic_ns() - started_ns)


def _behave(link: Link, within_s: float) -> Behaviour:
    try:
        connection = socket.create_connection(_address(link.listen), timeout=1.0)
    except OSError:
        return Behaviour.REFUSED
    with connection:
        try:
            connection.settimeout(within_s)
            connection.sendall(question(link))
            return Behaviour.ANSWERED if connection.recv(1) else Behaviour.CLOSED
        except TimeoutError:
            return Behaviour.SILENT
        except OSError:
            return Behaviour.RESET


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    return ("127.0.0.1" if host in {"", "0.0.0.0", "::"} else host), int(port)  # noqa: S104 - not bound, connected to
