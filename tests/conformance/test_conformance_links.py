"""Connections through a proxy, and what edits of the proxy do to them."""

import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from self_signed import certificate


def read_all(connection: socket.socket) -> bytes:
    """Return everything up to the end of the stream."""
    parts = []
    while data := connection.recv(65536):
        parts.append(data)
    return b"".join(parts)


def read_exactly(connection: socket.socket, count: int) -> bytes:
    """Return the next `count` bytes, fewer at the end of the stream."""
    got = b""
    while len(got) < count and (data := connection.recv(count - len(got))):
        got += data
    return got


def test_bytes_come_back_as_they_were_sent(server: Any, echo: Any) -> None:
    payload = bytes(range(256)) * 8192  # 2 MiB: more than all buffers on the way
    with server.proxy(echo).connect() as connection:
        sender = threading.Thread(target=connection.sendall, args=(payload,))
        sender.start()
        assert read_exactly(connection, len(payload)) == payload
        sender.join()


def test_the_client_sees_the_end_where_nothing_listens_upstream(server: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    with server.proxy(address).connect() as connection:
        assert connection.recv(1) == b""


def test_the_server_speaks_first(server: Any, peer: Any) -> None:
    greeting = peer(lambda connection: connection.sendall(b"220 hello"))
    with server.proxy(greeting).connect() as connection:
        assert read_all(connection) == b"220 hello"


def test_the_servers_end_reaches_the_client_after_the_last_byte(server: Any, peer: Any) -> None:
    payload = b"x" * 1_000_000
    with server.proxy(peer(lambda connection: connection.sendall(payload))).connect() as connection:
        assert read_all(connection) == payload


def test_the_clients_close_reaches_the_server(server: Any, peer: Any) -> None:
    ended = threading.Event()

    def talk(connection: socket.socket) -> None:
        read_all(connection)
        ended.set()

    server.proxy(peer(talk)).connect().close()
    assert ended.wait(3)


def test_a_client_that_does_not_read_holds_up_nobody_else(server: Any, peer: Any) -> None:
    flood = peer(lambda connection: connection.sendall(b"x" * 50_000_000))
    proxy = server.proxy(flood)
    with proxy.connect(), proxy.connect() as reader:
        assert len(read_exactly(reader, 5_000_000)) == 5_000_000


def test_disabling_closes_live_connections_and_refuses_new_ones(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    with proxy.connect() as connection:
        connection.sendall(b"a")
        assert connection.recv(1) == b"a"
        assert proxy.update(enabled=False).json()["enabled"] is False
        assert connection.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        proxy.connect()
    assert proxy.update(enabled=True).json()["listen"] == proxy.listen
    with proxy.connect() as connection:
        connection.sendall(b"b")
        assert connection.recv(1) == b"b"


def test_toxics_survive_disabling(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    proxy.toxic("limit_data", bytes=2)
    proxy.update(enabled=False)
    proxy.update(enabled=True)
    with proxy.connect() as connection:
        connection.sendall(b"abcd")
        assert read_all(connection) == b"ab"


def test_a_new_upstream_closes_live_connections_and_takes_the_next(server: Any, echo: Any, peer: Any) -> None:
    other = peer(lambda connection: connection.sendall(b"other"))
    proxy = server.proxy(echo)
    with proxy.connect() as connection:
        connection.sendall(b"a")
        assert connection.recv(1) == b"a"
        assert proxy.update(upstream=other.address).status_code == 200
        assert connection.recv(1) == b""
    with proxy.connect() as connection:
        assert read_all(connection) == b"other"


def test_an_update_that_changes_nothing_leaves_connections_alone(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    with proxy.connect() as connection:
        connection.sendall(b"a")
        assert connection.recv(1) == b"a"
        proxy.update(listen=proxy.listen, upstream=echo.address, enabled=True)
        connection.sendall(b"b")
        assert connection.recv(1) == b"b"


def test_a_port_taken_while_disabled_is_500_and_the_proxy_stays_disabled(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    proxy.update(enabled=False)
    host, port = proxy.listen.split(":")
    with socket.create_server((host, int(port))):
        answer = proxy.update(enabled=True)
        assert answer.status_code == 500
        assert server.call("GET", f"/proxies/{proxy.name}").json()["enabled"] is False


def test_two_hundred_connections_at_once_each_get_their_own_bytes(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    connections = [proxy.connect() for _ in range(200)]
    try:
        for number, connection in enumerate(connections):
            connection.sendall(b"%6d" % number)
        assert [read_exactly(connection, 6) for connection in connections] == [b"%6d" % number for number in range(200)]
    finally:
        for connection in connections:
            connection.close()


def test_tls_goes_through_untouched_and_a_toxic_still_acts_on_it(server: Any, peer: Any, tmp_path: Path) -> None:
    """The client trusts the server's own certificate alone: whoever ended TLS on the way would be found out."""
    pem = tmp_path / "server.pem"
    pem.write_bytes(certificate("localhost"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as safe:
            while data := safe.recv(65536):
                safe.sendall(data)

    proxy = server.proxy(peer(talk))
    trusting = ssl.create_default_context(cafile=str(pem))
    with proxy.connect() as connection, trusting.wrap_socket(connection, server_hostname="localhost") as safe:
        safe.sendall(b"through")
        assert safe.recv(100) == b"through"
        proxy.toxic("latency", latency=300)
        began = time.monotonic()
        safe.sendall(b"late")
        assert safe.recv(100) == b"late"
        assert time.monotonic() - began >= 0.3
