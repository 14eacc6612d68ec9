"""A driver on plain sockets, for probes in the control process: one request, one connection, one deadline."""

import contextlib
import select
import socket
import time
from dataclasses import dataclass

from harness.exchange.exchange import End, Exchange, never_answered
from harness.exchange.outcome import Outcome
from harness.exchange.reading import Reading
from harness.model.error_kind import ErrorKind

_CHUNK_BYTES = 65_536
_END_OF_HEAD = b"\r\n\r\n"


def ask(
    address: tuple[str, int], request: bytes, *, reading: Reading, streamed: bool, timeout_ns: int, zero_ns: int = 0
) -> Outcome:
    """Send a request and wait for its outcome, at most `timeout_ns`; never raises for what the peer or the network does.

    address: host and port. request: from `chat_request`. Moments of the outcome count from `zero_ns` on
    CLOCK_MONOTONIC. The deadline holds for all of it, the connection and a trickling answer included (not for the
    resolution of a name: probes ask addresses).
    """
    return converse(address, request, Exchange(reading, streamed=streamed), timeout_ns=timeout_ns, zero_ns=zero_ns)


def converse(
    address: tuple[str, int],
    request: bytes,
    exchange: Exchange,
    *,
    timeout_ns: int,
    zero_ns: int = 0,
    head_takes_ns: int = 0,
    body_every_ns: int = 0,
) -> Outcome:
    """Send a request and feed its answer to an exchange, whose headers can be asked for afterwards; else as `ask`.

    As a slow client sends it, head_takes_ns: so long for the head, its bytes evenly apart, the body at once after it; or
    body_every_ns: so long before each byte of the body. Nought: all of it at once.
    """
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
        end = _talk(connection, _paced(request, head_takes_ns, body_every_ns), exchange, deadline_ns, zero_ns)
        return exchange.outcome(end, time.monotonic_ns() - zero_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paced:
    """A request in the order in which it is sent: what goes at once, then a byte each `every_ns`, the rest with the last."""

    at_once: memoryview
    slow: memoryview
    rest: memoryview
    every_ns: int


def _paced(request: bytes, head_takes_ns: int, body_every_ns: int) -> _Paced:
    whole, nothing = memoryview(request), memoryview(b"")
    head = request.index(_END_OF_HEAD) + len(_END_OF_HEAD) if head_takes_ns or body_every_ns else 0
    if head_takes_ns:
        return _Paced(at_once=nothing, slow=whole[:head], rest=whole[head:], every_ns=head_takes_ns // head)
    if body_every_ns:
        return _Paced(at_once=whole[:head], slow=whole[head:], rest=nothing, every_ns=body_every_ns)
    return _Paced(at_once=whole, slow=nothing, rest=nothing, every_ns=0)


def _talk(connection: socket.socket, request: _Paced, exchange: Exchange, deadline_ns: int, zero_ns: int) -> End:
    late = request.slow
    try:
        connection.settimeout(max(deadline_ns - time.monotonic_ns(), 1) / 1e9)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # what the peer said first is still to be read
            connection.sendall(request.at_once)
        due_ns = time.monotonic_ns() + request.every_ns
        while True:
            now_ns = time.monotonic_ns()
            if now_ns >= deadline_ns:
                return End.TIMEOUT
            until_ns = min(deadline_ns, due_ns) if late else deadline_ns
            if not select.select([connection], [], [], max(until_ns - now_ns, 0) / 1e9)[0]:
                if late:
                    late, due_ns = _send_one(connection, late, request.rest), due_ns + request.every_ns
                continue
            data = connection.recv(_CHUNK_BYTES)
            if not data:
                return End.CLOSED
            if exchange.feed(data, time.monotonic_ns() - zero_ns):
                return End.COMPLETE
    except TimeoutError:
        return End.TIMEOUT
    except OSError:
        return End.RESET


def _send_one(connection: socket.socket, late: memoryview, rest: memoryview) -> memoryview:
    """Send a byte, and the rest with the last, and return those that are left: none for a peer that reads no more."""
    try:
        connection.sendall(late[:1] if len(late) > 1 else bytes(late) + bytes(rest))
    except (BrokenPipeError, ConnectionResetError):
        return late[:0]
    return late[1:]
