"""Where ours is better on purpose. Each test is a row of the list in `docs/reference/faultproxy.md`, by its name."""

import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest


def read_all(connection: socket.socket) -> bytes:
    """Return everything up to the end of the stream."""
    parts = []
    while data := connection.recv(65536):
        parts.append(data)
    return b"".join(parts)


def echoed(connection: socket.socket, payload: bytes = b"ping") -> bytes:
    """Send bytes to an echo and return what comes back."""
    connection.sendall(payload)
    got = b""
    while len(got) < len(payload) and (data := connection.recv(65536)):
        got += data
    return got


def until(condition: Callable[[], bool], within_s: float = 2) -> bool:
    """Whether a condition comes true within a while."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def acted(ours: Any, proxy: Any, toxic: str) -> dict[str, int]:
    """Return what a toxic is said to have touched."""
    return dict(ours.call("GET", "/acted").json()[proxy.name][toxic])


@pytest.mark.parametrize(
    ("type_", "attributes", "allowed"),
    [
        ("latency", {"latency": -5}, "latency is -5; allowed: whole numbers from 0 to 3600000 ms"),
        ("latency", {"jitter": 3_600_001}, "jitter is 3600001; allowed: whole numbers from 0 to 3600000 ms"),
        ("bandwidth", {"rate": -1}, "rate is -1; allowed: whole numbers from 0 to 10000000 KB/s"),
        ("slicer", {"average_size": 0}, "average_size is 0; allowed: whole numbers from 1 to 1000000000 bytes"),
        ("timeout", {"timeout": True}, "timeout is True; allowed: whole numbers from 0 to 3600000 ms"),
        ("corrupt", {"share": 1.5}, "share is 1.5; allowed: numbers from 0 to 1"),
        (
            "limit_data",
            {"bytes": 1 << 60},
            "bytes is 1152921504606846976; allowed: whole numbers from 0 to 9007199254740992 bytes",
        ),
    ],
)
def test_better_ranges(ours: Any, echo: Any, type_: str, attributes: dict[str, object], allowed: str) -> None:
    proxy = ours.proxy(echo)
    answer = ours.call("POST", f"/proxies/{proxy.name}/toxics", {"type": type_, "attributes": attributes})
    assert answer.status_code == 400
    assert allowed in answer.json()["error"]
    assert ours.call("GET", f"/proxies/{proxy.name}/toxics").json() == []


@pytest.mark.parametrize("toxicity", [7, -0.1, 1.0001])
def test_better_toxicity_range(ours: Any, echo: Any, toxicity: float) -> None:
    proxy = ours.proxy(echo)
    answer = ours.call("POST", f"/proxies/{proxy.name}/toxics", {"type": "latency", "toxicity": toxicity})
    assert answer.status_code == 400
    assert "allowed: 0 to 1" in answer.json()["error"]


def test_better_whole_edits(ours: Any, echo: Any) -> None:
    proxy = ours.proxy(echo)
    name = proxy.toxic("latency", latency=10, jitter=1)
    answer = ours.call(
        "POST", f"/proxies/{proxy.name}/toxics/{name}", {"toxicity": 0.5, "attributes": {"latency": 20, "jitter": -1}}
    )
    assert answer.status_code == 400
    kept = ours.call("GET", f"/proxies/{proxy.name}/toxics/{name}").json()
    assert (kept["toxicity"], kept["attributes"]) == (1, {"latency": 10, "jitter": 1})


@pytest.mark.parametrize("upstream", ["nix", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:0", "127.0.0.1:70000"])
def test_better_upstream_checked(ours: Any, upstream: str) -> None:
    answer = ours.call("POST", "/proxies", {"name": "a", "listen": "127.0.0.1:0", "upstream": upstream})
    assert answer.status_code == 400
    assert "allowed: host:port" in answer.json()["error"]


def test_better_names_listed(ours: Any, echo: Any) -> None:
    proxy = ours.proxy(echo)
    answer = ours.call("POST", f"/proxies/{proxy.name}/toxics", {"type": "latancy"})
    assert "slow_close" in answer.json()["error"]
    assert "did you mean 'latency'?" in answer.json()["error"]


def test_better_half_close(ours: Any, peer: Any) -> None:
    counting = peer(lambda connection: connection.sendall(b"%d" % len(read_all(connection))))
    with ours.proxy(counting).connect() as connection:
        connection.sendall(b"x" * 1234)
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection) == b"1234"


def test_better_rst_on_live_links(ours: Any, echo: Any) -> None:
    proxy = ours.proxy(echo)
    with proxy.connect() as connection:
        echoed(connection)
        proxy.toxic("reset_peer", timeout=0)
        connection.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_better_rst_passed_on(ours: Any, peer: Any) -> None:
    def half_an_answer(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(b"half")
        time.sleep(0.05)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with ours.proxy(peer(half_an_answer)).connect() as connection:
        connection.sendall(b"x")
        assert connection.recv(4) == b"half"
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_better_removal_never_hangs(ours: Any, peer: Any) -> None:
    flood = peer(lambda connection: connection.sendall(b"x" * 20_000_000))
    proxy = ours.proxy(flood)
    with proxy.connect():  # does not read
        for type_, attributes in (
            ("reset_peer", {"timeout": 3_600_000}),
            ("slow_close", {"delay": 3_600_000}),
            ("bandwidth", {"rate": 1}),
            ("slicer", {"average_size": 1, "delay": 1_000_000}),
            ("latency", {"latency": 3_600_000}),
        ):
            name = proxy.toxic(type_, **attributes)
            time.sleep(0.02)
            start = time.monotonic()
            proxy.remove(name)
            assert time.monotonic() - start < 1, type_


def test_better_reset_peer_spares(ours: Any, echo: Any) -> None:
    proxy = ours.proxy(echo)
    name = proxy.toxic("reset_peer", timeout=3_600_000)
    with proxy.connect() as connection:
        connection.sendall(b"held")
        time.sleep(0.05)
        proxy.remove(name)
        assert connection.recv(4) == b"held"


def test_better_seed(ours: Any, echo: Any) -> None:
    def chosen() -> list[bytes]:
        proxy = ours.proxy(echo, name="seeded")
        proxy.toxic("corrupt", toxicity=0.5, share=0.2)
        answers = []
        for _ in range(12):
            with proxy.connect() as connection:
                answers.append(echoed(connection, b"0123456789" * 4))
        ours.call("DELETE", "/proxies/seeded")
        return answers

    first = chosen()
    assert chosen() == first
    assert 1 < len(set(first)) <= 12


def test_better_atomic_creation(ours: Any, echo: Any) -> None:
    bad = {"name": "a", "listen": "127.0.0.1:0", "upstream": echo.address, "toxics": [{"type": "latency"}, {"type": "nix"}]}
    assert ours.call("POST", "/proxies", bad).status_code == 400
    assert ours.call("GET", "/proxies").json() == {}
    proxy = ours.proxy(
        echo, toxics=[{"type": "limit_data", "attributes": {"bytes": 2}}, {"type": "latency", "stream": "upstream"}]
    )
    names = [toxic["name"] for toxic in ours.call("GET", f"/proxies/{proxy.name}/toxics").json()]
    assert names == ["latency_upstream", "limit_data_downstream"]
    with proxy.connect() as connection:
        assert echoed(connection, b"abcd") == b"ab"
    assert acted(ours, proxy, "limit_data_downstream") == {"connections": 1, "bytes": 2, "connections_refused": 0}


def test_better_own_direction(ours: Any, peer: Any) -> None:
    proxy = ours.proxy(peer(lambda connection: None))
    proxy.toxic("reset_peer", stream="upstream")
    with proxy.connect() as connection:
        assert connection.recv(1) == b""


def test_better_corrupt(ours: Any, echo: Any) -> None:
    proxy = ours.proxy(echo)
    name = proxy.toxic("corrupt", share=0.1)
    payload = bytes(10_000)
    with proxy.connect() as connection:
        answer = echoed(connection, payload)
    flipped = sum(map(bool, answer))
    assert len(answer) == 10_000
    assert 700 < flipped < 1300  # ten standard deviations
    assert acted(ours, proxy, name)["bytes"] == flipped


def test_better_loss(ours: Any, peer: Any) -> None:
    def hundred(connection: socket.socket) -> None:
        for number in range(100):
            connection.sendall(b"%2d" % number)
            time.sleep(0.002)

    proxy = ours.proxy(peer(hundred))
    name = proxy.toxic("loss", share=0.5)
    with proxy.connect() as connection:
        arrived = read_all(connection)
    numbers = [arrived[start : start + 2] for start in range(0, len(arrived), 2)]
    assert 0 < len(numbers) < 100
    assert numbers == sorted(numbers)
    assert acted(ours, proxy, name) == {"connections": 1, "bytes": 200 - len(arrived), "connections_refused": 0}


def test_better_lease(ours: Any, echo: Any) -> None:
    proxy, disabled = ours.proxy(echo), ours.proxy(echo)
    proxy.toxic("timeout")
    disabled.update(enabled=False)
    expired = ours.call("GET", "/lease").json()["expired"]
    for _ in range(4):
        answer = ours.call("PUT", "/lease", {"seconds": 0.3})
        assert answer.status_code == 200
        assert 0 < answer.json()["remaining_s"] <= 0.3
        time.sleep(0.1)
    assert ours.call("GET", f"/proxies/{proxy.name}/toxics").json() != [], "it was renewed"
    assert until(lambda: ours.call("GET", "/lease").json()["expired"] == expired + 1)
    state = ours.call("GET", "/proxies").json()
    assert [(each["enabled"], each["toxics"]) for each in state.values()] == [(True, [])] * 2
    assert ours.call("GET", "/lease").json() == {"seconds": None, "remaining_s": None, "expired": expired + 1}


def test_a_lease_that_is_ended_changes_nothing(ours: Any, echo: Any) -> None:
    proxy = ours.proxy(echo)
    proxy.toxic("latency")
    ours.call("PUT", "/lease", {"seconds": 0.05})
    assert ours.call("DELETE", "/lease").status_code == 204
    time.sleep(0.15)
    assert len(ours.call("GET", f"/proxies/{proxy.name}/toxics").json()) == 1


@pytest.mark.parametrize("seconds", [0, -1, 86_401, "3", None])
def test_a_lease_out_of_range_is_refused(ours: Any, seconds: object) -> None:
    answer = ours.call("PUT", "/lease", {"seconds": seconds})
    assert answer.status_code == 400
    assert "seconds is" in answer.json()["error"]


def test_a_lease_runs_out_on_a_proxy_whose_port_was_taken_meanwhile(ours: Any, echo: Any) -> None:
    blocked, other = ours.proxy(echo), ours.proxy(echo)
    blocked.update(enabled=False)
    other.toxic("timeout")
    host, port = blocked.listen.split(":")
    with socket.create_server((host, int(port))):
        ours.call("PUT", "/lease", {"seconds": 0.05})
        assert until(lambda: ours.call("GET", f"/proxies/{other.name}/toxics").json() == [])


def test_better_acted(ours: Any, echo: Any) -> None:
    proxy = ours.proxy(echo)
    name = proxy.toxic("timeout")
    with proxy.connect() as silent, proxy.connect() as speaking:
        assert acted(ours, proxy, name) == {"connections": 0, "bytes": 0, "connections_refused": 0}
        speaking.sendall(b"12345")
        assert until(lambda: acted(ours, proxy, name) == {"connections": 1, "bytes": 5, "connections_refused": 0})
        speaking.sendall(b"67")
        assert until(lambda: acted(ours, proxy, name) == {"connections": 1, "bytes": 7, "connections_refused": 0})
        proxy.remove(name)
        assert silent.recv(1) == b""
    assert acted(ours, proxy, name) == {"connections": 1, "bytes": 7, "connections_refused": 0}, "removed: the counts stay"
    proxy.toxic("timeout")
    assert acted(ours, proxy, name) == {"connections": 0, "bytes": 0, "connections_refused": 0}, "created again: from zero"


@pytest.mark.parametrize(
    ("type_", "attributes", "expected"),
    [
        ("latency", {"latency": 20}, (1, 12)),
        ("latency", {}, (0, 0)),
        ("bandwidth", {"rate": 1}, (1, 12)),
        ("slicer", {"average_size": 5}, (1, 12)),
        ("slicer", {}, (0, 0)),
        ("slow_close", {"delay": 20}, (1, 0)),
        ("limit_data", {"bytes": 5}, (1, 7)),
        ("limit_data", {"bytes": 500}, (0, 0)),
        ("reset_peer", {"timeout": 20}, (1, 12)),
        ("loss", {"share": 1}, (1, 12)),
        ("loss", {"share": 0}, (0, 0)),
        ("corrupt", {"share": 1}, (1, 12)),
        ("noop", {}, (0, 0)),
    ],
)
def test_a_toxic_counts_what_it_touched_and_nothing_else(
    ours: Any, peer: Any, type_: str, attributes: dict[str, float], expected: tuple[int, int]
) -> None:
    def twelve(connection: socket.socket) -> None:
        connection.sendall(b"twelve bytes")

    proxy = ours.proxy(peer(twelve))
    name = proxy.toxic(type_, **attributes)
    with proxy.connect() as connection:
        try:
            read_all(connection)
        except ConnectionResetError:
            assert type_ == "reset_peer"
    counts = acted(ours, proxy, name)
    assert (counts["connections"], counts["bytes"]) == expected


def test_an_edited_toxic_counts_a_connection_once(ours: Any, echo: Any) -> None:
    proxy = ours.proxy(echo)
    name = proxy.toxic("latency", latency=5)
    with proxy.connect() as connection:
        echoed(connection)
        proxy.edit(name, attributes={"latency": 10})
        echoed(connection)
    assert acted(ours, proxy, name) == {"connections": 1, "bytes": 8, "connections_refused": 0}


def answering(connection: socket.socket) -> None:
    """Answer HTTP requests without a body, one after the other, in a chunked body."""
    left = b""
    while True:
        while b"\r\n\r\n" not in left:
            data = connection.recv(65536)
            if not data:
                return
            left += data
        head, _, left = left.partition(b"\r\n\r\n")
        name = head.split(b" ")[1]
        body = f"{len(name):x}\r\n".encode() + name + b"\r\n0\r\n\r\n"
        connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + body)


def asked(connection: socket.socket, path: str, **headers: str) -> tuple[bytes, float]:
    """Return what came back for one request up to its last chunk, and after how many seconds."""
    started = time.monotonic()
    fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    connection.sendall(f"GET {path} HTTP/1.1\r\n{fields}\r\n".encode())
    got = b""
    while not got.endswith(b"0\r\n\r\n"):
        data = connection.recv(65536)
        if not data:
            break
        got += data
    return got, time.monotonic() - started


def test_better_requests(ours: Any, peer: Any) -> None:
    """One connection, kept alive before and under the toxic: the requests that are picked meet it, the others do not."""
    proxy = ours.proxy(peer(answering))
    with proxy.connect() as kept:
        assert asked(kept, "/before")[0].endswith(b"/before\r\n0\r\n\r\n")
        body = {
            "type": "latency",
            "attributes": {"latency": 300},
            "requests": {"path": "/slow/*", "header": "x-tenant: acme", "every_nth": 2},
        }
        made = ours.call("POST", f"/proxies/{proxy.name}/toxics", body)
        assert made.json()["requests"] == body["requests"]
        for path, tenant, slow in (
            ("/slow/1", "acme", False),
            ("/slow/2", "other", False),
            ("/slow/3", "acme", True),
            ("/fast/4", "acme", False),
            ("/slow/5", "acme", False),
            ("/slow/6", "acme", True),
        ):
            got, took_s = asked(kept, path, x_tenant=tenant)
            assert got.endswith(path.encode() + b"\r\n0\r\n\r\n")
            assert (took_s >= 0.29) == slow, (path, took_s)
        assert acted(ours, proxy, "latency_downstream")["requests"] == 2
        proxy.remove("latency_downstream")
        assert asked(kept, "/slow/7", x_tenant="acme")[1] < 0.29


def test_better_first_fail_then_work(ours: Any, peer: Any) -> None:
    """#404 of Toxiproxy: the first two requests break off, over however many connections; then all is well."""
    proxy = ours.proxy(peer(answering))
    body = {"type": "reset_peer", "requests": {"first_n": 2}}
    assert ours.call("POST", f"/proxies/{proxy.name}/toxics", body).status_code == 200
    for _ in range(2):
        with proxy.connect() as connection, pytest.raises(ConnectionResetError):
            asked(connection, "/a")
    with proxy.connect() as connection:
        assert [asked(connection, f"/{n}")[0][-12:] for n in range(3)] == [
            f"2\r\n/{n}\r\n0\r\n\r\n".encode()[-12:] for n in range(3)
        ]
    assert acted(ours, proxy, "reset_peer_downstream") | {"bytes": 0} == {
        "connections": 2,
        "bytes": 0,
        "connections_refused": 0,
        "requests": 2,
    }


@pytest.mark.parametrize(("type_", "attributes"), [("timeout", {}), ("limit_data", {"bytes": 3}), ("loss", {"share": 1.0})])
def test_a_picked_request_is_swallowed_alone(ours: Any, peer: Any, type_: str, attributes: dict[str, float]) -> None:
    upstream = peer(answering)
    proxy = ours.proxy(upstream)
    body = {"type": type_, "stream": "upstream", "attributes": attributes, "requests": {"path": "/dark"}}
    assert ours.call("POST", f"/proxies/{proxy.name}/toxics", body).status_code == 200
    with proxy.connect() as well, proxy.connect() as ill:
        assert asked(ill, "/light")[0]
        ill.settimeout(0.2)
        if type_ == "limit_data":
            assert asked(ill, "/dark")[0] == b""
        else:
            with pytest.raises(TimeoutError):
                asked(ill, "/dark")
        assert asked(well, "/light")[0]
        proxy.remove(f"{type_}_upstream")
        assert asked(well, "/dark")[0]
    assert acted(ours, proxy, f"{type_}_upstream")["requests"] == 1


def test_pipelined_answers_stay_in_order_when_only_some_of_them_are_late(ours: Any, peer: Any) -> None:
    proxy = ours.proxy(peer(answering))
    body = {"type": "latency", "attributes": {"latency": 100}, "requests": {"path": "/late"}}
    assert ours.call("POST", f"/proxies/{proxy.name}/toxics", body).status_code == 200
    with proxy.connect() as connection:
        paths = ["/a", "/late", "/b", "/late", "/c"]
        connection.sendall(b"".join(f"GET {path} HTTP/1.1\r\n\r\n".encode() for path in paths))
        got = b""
        while got.count(b"0\r\n\r\n") < 5:
            got += connection.recv(65536)
    bodies = [part.rpartition(b"\r\n")[2].decode() for part in got.split(b"\r\n0\r\n\r\n")[:-1]]
    assert bodies == paths


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"requests": {"nht": 1}}, "requests has no 'nht'; allowed: share, nth"),
        ({"requests": {"nth": 0}}, "requests.nth is 0; allowed: whole numbers from 1"),
        ({"requests": []}, "requests is []; allowed: an object"),
        ({"requests": {"nth": 1}, "toxicity": 0.5}, "allowed: one of them"),
    ],
)
def test_a_trigger_that_cannot_be_is_refused(ours: Any, echo: Any, fields: dict[str, object], message: str) -> None:
    proxy = ours.proxy(echo)
    answer = ours.call("POST", f"/proxies/{proxy.name}/toxics", {"type": "latency"} | fields)
    assert answer.status_code == 400
    assert message in answer.json()["error"]
    assert ours.call("GET", f"/proxies/{proxy.name}/toxics").json() == []


def test_a_trigger_is_not_edited_in_passing(ours: Any, echo: Any) -> None:
    proxy = ours.proxy(echo)
    ours.call("POST", f"/proxies/{proxy.name}/toxics", {"type": "latency", "requests": {"nth": 1}})
    for body in ({"requests": {"nth": 2}}, {"toxicity": 0.5}):
        assert ours.call("POST", f"/proxies/{proxy.name}/toxics/latency_downstream", body).status_code == 400
    same = ours.call("POST", f"/proxies/{proxy.name}/toxics/latency_downstream", {"requests": {"nth": 1}, "toxicity": 1})
    assert same.status_code == 200


def test_what_is_no_http_passes_a_triggered_toxic_untouched(ours: Any, echo: Any) -> None:
    proxy = ours.proxy(echo)
    with proxy.connect() as before:
        ours.call("POST", f"/proxies/{proxy.name}/toxics", {"type": "timeout", "requests": {}})
        with proxy.connect() as after:
            assert echoed(before, b"PING\r\n") == b"PING\r\n"
            assert echoed(after, b"\x00\x01\x02") == b"\x00\x01\x02"
            proxy.remove("timeout_downstream")
            assert echoed(before) == b"ping"
            assert echoed(after) == b"ping"
