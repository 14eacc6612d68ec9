"""What each toxic does to bytes, seen from both ends; edits and removals on live connections."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest


@contextlib.contextmanager
def taking(low_s: float, high_s: float) -> Iterator[None]:
    """Fail where the block takes less or more time; the upper bounds are wide, for the machine may be busy."""
    start = time.monotonic()
    yield
    took = time.monotonic() - start
    assert low_s <= took <= high_s, f"took {took:.3f} s"


def ping(connection: socket.socket, payload: bytes = b"ping") -> bytes:
    """Send bytes to an echo and return what comes back."""
    connection.sendall(payload)
    return read_exactly(connection, len(payload))


def read_exactly(connection: socket.socket, count: int) -> bytes:
    """Return the next `count` bytes, fewer at the end of the stream."""
    got = b""
    while len(got) < count and (data := connection.recv(count - len(got))):
        got += data
    return got


def silent(connection: socket.socket, for_s: float = 0.15) -> bool:
    """Whether nothing arrives, not even an end, for a while."""
    connection.settimeout(for_s)
    try:
        connection.recv(1)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(3)
    return False


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_latency_delays_new_and_live_connections(server: Any, echo: Any, stream: str) -> None:
    proxy = server.proxy(echo)
    with proxy.connect() as live:
        ping(live)
        name = proxy.toxic("latency", stream=stream, latency=100)
        with proxy.connect() as new:
            for connection in (live, new):
                with taking(0.1, 0.6):
                    ping(connection)
        proxy.remove(name)
        with taking(0, 0.09):
            ping(live)


def test_two_latencies_add_up(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    proxy.toxic("latency", latency=80)
    proxy.toxic("latency", stream="upstream", latency=80)
    with proxy.connect() as connection, taking(0.16, 0.7):
        ping(connection)


def test_latency_keeps_the_spacing_of_chunks(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    proxy.toxic("latency", latency=200)
    with proxy.connect() as connection:
        start = time.monotonic()
        for number in range(5):
            connection.sendall(b"%d" % number)
            time.sleep(0.05)
        read_exactly(connection, 5)
        assert time.monotonic() - start < 0.8, "five chunks of 200 ms each came one after another"


def test_removing_latency_releases_what_is_in_flight_in_order(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    name = proxy.toxic("latency", latency=10_000)
    with proxy.connect() as connection:
        for part in (b"one ", b"two ", b"three"):
            connection.sendall(part)
            time.sleep(0.02)
        with taking(0, 1):
            proxy.remove(name)
            assert read_exactly(connection, 13) == b"one two three"


def test_editing_latency_releases_the_chunk_in_flight(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    name = proxy.toxic("latency", latency=10_000)
    with proxy.connect() as connection:
        connection.sendall(b"a")
        time.sleep(0.05)
        with taking(0, 1):
            proxy.edit(name, attributes={"latency": 20_000})
            assert connection.recv(1) == b"a"


def test_editing_latency_gives_what_waits_the_new_delay_from_its_own_arrival(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    name = proxy.toxic("latency", latency=10_000)
    with proxy.connect() as connection:
        for part in (b"first", b"later"):
            connection.sendall(part)
            time.sleep(0.05)
        proxy.edit(name, attributes={"latency": 300})
        start = time.monotonic()
        assert connection.recv(10) == b"first"
        assert connection.recv(10) == b"later"
        assert 0.1 < time.monotonic() - start < 1


def test_latency_does_not_delay_the_end_by_itself(server: Any, peer: Any) -> None:
    proxy = server.proxy(peer(lambda connection: None))
    proxy.toxic("latency", latency=3000)
    with proxy.connect() as connection, taking(0, 1.5):
        assert connection.recv(1) == b""


def test_bandwidth_keeps_its_rate(server: Any, peer: Any) -> None:
    proxy = server.proxy(peer(lambda connection: connection.sendall(b"x" * 100_000)))
    proxy.toxic("bandwidth", rate=200)  # 100 kB at 200 kB/s
    with proxy.connect() as connection, taking(0.4, 1.0):
        assert len(read_exactly(connection, 100_000)) == 100_000


def test_bandwidth_sends_in_slices_of_a_tenth_of_a_second(server: Any, peer: Any) -> None:
    proxy = server.proxy(peer(lambda connection: connection.sendall(b"x" * 20_000)))
    proxy.toxic("bandwidth", rate=50)
    with proxy.connect() as connection, taking(0.08, 0.3):
        assert len(connection.recv(20_000)) == 5000


def test_bandwidth_0_stalls_and_its_removal_delivers_what_was_held(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    name = proxy.toxic("bandwidth", rate=0)
    with proxy.connect() as connection:
        connection.sendall(b"held")
        assert silent(connection)
        proxy.remove(name)
        assert read_exactly(connection, 4) == b"held"


def test_slow_close_delays_the_end_only(server: Any, peer: Any) -> None:
    proxy = server.proxy(peer(lambda connection: connection.sendall(b"data")))
    proxy.toxic("slow_close", delay=300)
    with proxy.connect() as connection:
        with taking(0, 0.25):
            assert read_exactly(connection, 4) == b"data"
        with taking(0.2, 1):
            assert connection.recv(1) == b""


def test_timeout_0_is_a_black_hole_for_new_and_live_connections(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    with proxy.connect() as live:
        ping(live)
        name = proxy.toxic("timeout", timeout=0)
        with proxy.connect() as new:
            for connection in (live, new):
                connection.sendall(b"lost")
            assert silent(live)
            assert silent(new)
            proxy.remove(name)
            assert live.recv(1) == b""
            assert new.recv(1) == b""
    with proxy.connect() as connection:
        assert ping(connection) == b"ping"


def test_timeout_closes_after_silence(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    proxy.toxic("timeout", timeout=150)
    with proxy.connect() as connection, taking(0.14, 1):
        assert connection.recv(1) == b""


def test_traffic_starts_the_timeout_anew(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    proxy.toxic("timeout", stream="upstream", timeout=400)
    with proxy.connect() as connection:
        start = time.monotonic()
        for _ in range(4):
            time.sleep(0.15)
            connection.sendall(b"x")
        assert connection.recv(1) == b""
        assert time.monotonic() - start >= 0.95


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
@pytest.mark.parametrize("milliseconds", [0, 5000])
def test_the_end_of_a_connection_passes_a_timeout(server: Any, peer: Any, stream: str, milliseconds: int) -> None:
    ended = threading.Event()

    def talk(connection: socket.socket) -> None:
        if stream == "upstream":
            connection.recv(1)
            ended.set()

    proxy = server.proxy(peer(talk))
    proxy.toxic("timeout", stream=stream, timeout=milliseconds)
    with proxy.connect() as connection, taking(0, 1):
        if stream == "downstream":
            assert connection.recv(1) == b""
        else:
            connection.close()
            assert ended.wait(2)


def test_limit_data_passes_exactly_so_many_bytes_and_then_the_end(server: Any, peer: Any) -> None:
    proxy = server.proxy(peer(lambda connection: connection.sendall(b"0123456789")))
    proxy.toxic("limit_data", bytes=7)
    with proxy.connect() as connection:
        assert read_exactly(connection, 10) == b"0123456"


def test_limit_data_ends_on_the_last_allowed_byte(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    proxy.toxic("limit_data", bytes=4)
    with proxy.connect() as connection:
        connection.sendall(b"four")
        assert read_exactly(connection, 5) == b"four"


def test_limit_data_counts_from_when_it_was_added(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    with proxy.connect() as connection:
        assert ping(connection, b"before it") == b"before it"
        proxy.toxic("limit_data", bytes=3)
        connection.sendall(b"abcdef")
        assert read_exactly(connection, 6) == b"abc"


def test_limit_data_0_closes_on_the_first_data(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    proxy.toxic("limit_data", bytes=0)
    with proxy.connect() as connection:
        assert silent(connection)
        connection.sendall(b"x")
        assert connection.recv(1) == b""


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_reset_peer_resets_on_the_first_data(server: Any, echo: Any, stream: str) -> None:
    proxy = server.proxy(echo)
    proxy.toxic("reset_peer", stream=stream, timeout=100)
    with proxy.connect() as connection:
        assert silent(connection)
        connection.sendall(b"x")
        with taking(0.05, 1), pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_reset_peer_leaves_an_idle_connection_alone(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    with proxy.connect() as connection:
        ping(connection)
        name = proxy.toxic("reset_peer", timeout=0)
        assert silent(connection)
        proxy.remove(name)
        assert ping(connection) == b"ping"


def test_the_slicer_cuts_into_pieces_and_loses_nothing(server: Any, peer: Any) -> None:
    payload = bytes(range(250)) * 20
    proxy = server.proxy(peer(lambda connection: connection.sendall(payload)))
    proxy.toxic("slicer", average_size=500, size_variation=0, delay=20_000)
    pieces = []
    with proxy.connect() as connection, taking(0.1, 2):
        while data := connection.recv(65536):
            pieces.append(data)
    assert b"".join(pieces) == payload
    assert max(map(len, pieces)) <= 1500
    assert len(pieces) >= 5


def test_toxicity_0_touches_nothing_and_half_touches_some(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    name = proxy.toxic("limit_data", toxicity=0, bytes=0)
    with proxy.connect() as connection:
        assert ping(connection) == b"ping"
    proxy.edit(name, toxicity=0.5)
    closed = 0
    for _ in range(60):
        with proxy.connect() as connection:
            closed += ping(connection) == b""
    assert 10 < closed < 50  # outside by chance once in ten million


def test_a_toxic_stays_with_the_connections_it_chose(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    proxy.toxic("latency", toxicity=0.5, latency=60)
    for _ in range(6):
        with proxy.connect() as connection:
            slow = []
            for _ in range(3):
                start = time.monotonic()
                ping(connection)
                slow.append(time.monotonic() - start >= 0.06)
            assert len(set(slow)) == 1


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_edits_lose_no_byte_of_65535_numbers(server: Any, echo: Any, stream: str) -> None:
    proxy = server.proxy(echo)
    payload = b"".join(number.to_bytes(2, "big") for number in range(65_535))

    with proxy.connect() as connection:

        def send() -> None:
            for start in range(0, len(payload), 1000):
                connection.sendall(payload[start : start + 1000])
                time.sleep(0.002)

        got: list[bytes] = []
        reader = threading.Thread(target=lambda: got.append(read_exactly(connection, len(payload))))
        sender = threading.Thread(target=send)
        reader.start()
        sender.start()
        while sender.is_alive():
            name = proxy.toxic("latency", stream=stream, latency=5)
            proxy.edit(name, attributes={"latency": 20, "jitter": 10})
            proxy.remove(name)
        reader.join(5)
    assert got == [payload]
