import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from exchange_answers import answer, body

from harness.exchange import Reading
from harness.exchange.blocking import ask
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
