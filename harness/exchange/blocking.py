"""A driver on plain sockets, for probes in the control process: one request, one connection, one deadline."""

import contextlib
import select
import socket
import time

from harness.exchange.exchange import End, Exchange, never_answered
from harness.exchange.outcome import Outcome
from harness.exchange.reading import Reading
from harness.model.error_kind import ErrorKind

_CHUNK_BYTES = 65_536


def ask(
    address: tuple[str, int], request: bytes, *, reading: Reading, streamed: bool, timeout_ns: int, zero_ns: int = 0
) -> Outcome:
    """Send a request and wait for its outcome, at most `timeout_ns`; never raises for what the peer or the network does.

    address: host and port. request: from `chat_request`. Moments of the outcome count from `zero_ns` on
    CLOCK_MONOTONIC. The deadline holds for all of it, the connection and a trickling answer included (not for the
    resolution of a name: probes ask addresses).
    """
    return converse(address, request, Exchange(reading, streamed=streamed), timeout_ns=timeout_ns, zero_ns=zero_ns)


def converse(address: tuple[str, int], request: bytes, exchange: Exchange, *, timeout_ns: int, zero_ns: int = 0) -> Outcome:
    """Send a request and feed its answer to an exchange, whose headers can be asked for afterwards; else as `ask`."""
    deadline_ns = time.monotonic_ns() + timeout_ns
    try:
        connection = socket.create_connection(address, timeout=timeout_ns / 1e9)
    except TimeoutError:
        return never_answered(ErrorKind.CONNECT_TIMEOUT, time.monotonic_ns() - zero_ns)
    except ConnectionRefusedError:
        return never_answered(ErrorKind.CONNECT_REFUSED, time.monotonic_ns() - zero_ns)
    except OSError:
        return never_answered(ErrorKind.CONNECT_FAILED, time.monotonic_ns() - zero_ns)
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = _talk(connection, request, exchange, deadline_ns, zero_ns)
        return exchange.outcome(end, time.monotonic_ns() - zero_ns)


def _talk(connection: socket.socket, request: bytes, exchange: Exchange, deadline_ns: int, zero_ns: int) -> End:
    try:
        connection.settimeout(max(deadline_ns - time.monotonic_ns(), 1) / 1e9)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # what the peer said first is still to be read
            connection.sendall(request)
        while True:
            left_ns = deadline_ns - time.monotonic_ns()
            if left_ns <= 0 or not select.select([connection], [], [], left_ns / 1e9)[0]:
                return End.TIMEOUT
            data = connection.recv(_CHUNK_BYTES)
            if not data:
                return End.CLOSED
            if exchange.feed(data, time.monotonic_ns() - zero_ns):
                return End.COMPLETE
    except TimeoutError:
        return End.TIMEOUT
    except OSError:
        return End.RESET
