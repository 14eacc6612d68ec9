import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from exchange_answers import answer, body

from harness.exchange import Exchange, Reading
from harness.exchange.blocking import ask, converse
from harness.model.outcome import Result
from harness.model.signals import Signals

S = 1_000_000_000


@contextmanager
def server(serve: Callable[[socket.socket], None]) -> Iterator[tuple[str, int]]:
    """Accept one connection and hand it to `serve`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                serve(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname()
        thread.join(5)


def probe(address: tuple[str, int], timeout_ns: int = 5 * S) -> tuple[Result, str | None]:
    outcome = ask(address, b"POST / HTTP/1.1\r\n\r\n", reading=Reading(Signals()), streamed=False, timeout_ns=timeout_ns)
    return outcome.result, outcome.error_kind


def test_a_probe_brings_its_outcome() -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(answer(body())[:30])
        connection.sendall(answer(body())[30:])

    with server(serve) as address:
        assert probe(address) == (Result.ANSWERED, None)


def test_nobody_there_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    assert probe(address) == (Result.ERROR, "connect_refused")


def test_a_peer_that_trickles_for_ever_ends_at_the_deadline() -> None:
    stop = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not stop.wait(0.02):
            connection.sendall(b"x: y\r\n")

    with server(serve) as address:
        assert probe(address, S // 4) == (Result.TIMEOUT, "body_timeout")
        stop.set()


def test_a_silent_peer_ends_at_the_deadline() -> None:
    stop = threading.Event()
    with server(lambda _: stop.wait(5) and None) as address:
        assert probe(address, S // 10) == (Result.TIMEOUT, "first_byte_timeout")
        stop.set()


def test_a_reset_is_an_error() -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with server(serve) as address:
        assert probe(address) == (Result.ERROR, "reset")


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_a_close_before_the_head_is_an_error(sent: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(sent)

    with server(serve) as address:
        assert probe(address) == (Result.ERROR, "eof_before_headers")


HEAD = b"POST / HTTP/1.1\r\ncontent-length: 6\r\n\r\n"


def slowly(address: tuple[str, int], *, timeout_ns: int, every_ns: int = S // 50, head_ns: int = 0) -> tuple[Result, str | None]:
    exchange = Exchange(Reading(Signals()), streamed=False)
    body_ns = 0 if head_ns else every_ns
    outcome = converse(address, HEAD + b"abcdef", exchange, timeout_ns=timeout_ns, head_takes_ns=head_ns, body_every_ns=body_ns)
    return outcome.result, outcome.error_kind


def answers_once_whole(parts: list[bytes]) -> Callable[[socket.socket], None]:
    """Return a server's side that notes what it reads, piece by piece, and answers when the body is there."""

    def serve(connection: socket.socket) -> None:
        while b"".join(parts)[-6:] != b"abcdef":
            parts.append(connection.recv(1000))
        connection.sendall(answer(body()))

    return serve


def test_a_slow_head_comes_a_byte_at_a_time_and_the_body_at_once_after_it() -> None:
    parts: list[bytes] = []
    with server(answers_once_whole(parts)) as address:
        begun_ns = time.monotonic_ns()
        assert slowly(address, timeout_ns=5 * S, head_ns=S // 2) == (Result.ANSWERED, None)
        assert time.monotonic_ns() - begun_ns > 0.4 * S
    assert b"".join(parts) == HEAD + b"abcdef"
    assert len(parts) > 3
    assert parts[-1].endswith(b"\nabcdef")


def test_a_slow_head_ends_at_the_deadline_or_when_the_peer_has_had_enough() -> None:
    stop = threading.Event()
    with server(lambda _: stop.wait(5) and None) as address:
        assert slowly(address, timeout_ns=S // 5, head_ns=2 * S) == (Result.TIMEOUT, "first_byte_timeout")
        stop.set()
    with server(lambda connection: connection.recv(1000) and None) as address:
        assert slowly(address, timeout_ns=5 * S, head_ns=10 * S)[1] in ("eof_before_headers", "reset")


def test_a_slow_body_comes_a_byte_at_a_time_and_whole() -> None:
    parts: list[bytes] = []
    with server(answers_once_whole(parts)) as address:
        assert slowly(address, timeout_ns=5 * S) == (Result.ANSWERED, None)
    assert parts[0].endswith(b"\r\n\r\n")
    assert len(parts) > 3  # on a busy machine two bytes may arrive together


def test_an_answer_before_the_slow_body_is_sent_ends_it() -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(answer(body()))
        connection.recv(1000)

    with server(serve) as address:
        assert slowly(address, timeout_ns=5 * S, every_ns=S) == (Result.ANSWERED, None)


def test_a_slow_body_ends_at_the_deadline_whoever_reads_it() -> None:
    stop = threading.Event()
    with server(lambda _: stop.wait(5) and None) as address:
        assert slowly(address, timeout_ns=S // 5, every_ns=S // 20) == (Result.TIMEOUT, "first_byte_timeout")
        stop.set()


def test_a_peer_that_closes_on_a_slow_body_is_told_as_closed() -> None:
    with server(lambda connection: connection.recv(1000) and None) as address:
        assert slowly(address, timeout_ns=5 * S)[1] in ("eof_before_headers", "reset")
