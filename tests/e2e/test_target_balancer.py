"""The balancer before two instances: nothing sent twice, nothing held back, nothing untyped; and how the operators' own is asked."""

import contextlib
import http.client
import http.server
import json
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.target.embedded import balancer
from harness.target.embedded.site import Site
from harness.target.operating.balancing import PROGRAM
from harness.target.operating.programs import OperatorPrograms
from harness.target.supervise.logs import Mask
from harness.target.supervise.supervisor import Supervisor


class Instance:
    """An instance of a service that does what it is told."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ready = True
        self.posts: Counter[str] = Counter()
        self.release = threading.Event()
        self.connections: list[socket.socket] = []
        instance = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                instance.connections.append(self.connection)

            def do_GET(self) -> None:
                self.answer(200 if self.path != "/ready" or instance.ready else 503)

            def do_POST(self) -> None:
                if self.path == "/impatient":
                    self.close_connection = True
                    self.answer(408)
                    return
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                instance.posts[body] += 1
                if self.path == "/drop":
                    self.close_connection = True
                elif self.path == "/stream":
                    self.stream()
                elif self.path == "/slow":
                    instance.release.wait(10)
                else:
                    self.answer(200)

            def answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("content-length", str(len(instance.name)))
                self.end_headers()
                self.wfile.write(instance.name.encode())

            def stream(self) -> None:
                self.send_response(200)
                self.send_header("content-type", "application/octet-stream")
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for chunk in (b"data: 1\n\n", b"data: 2\n\n"):
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                    instance.release.wait(10)
                self.wfile.write(b"0\r\n\r\n")

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"

    def stop(self) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def instances() -> Iterator[tuple[Instance, Instance]]:
    made = (Instance("a"), Instance("b"))
    yield made
    for instance in made:
        with contextlib.suppress(OSError):
            instance.stop()


@pytest.fixture
def front(tmp_path: Path, instances: tuple[Instance, Instance]) -> Iterator[str]:
    supervisor = Supervisor(logs=tmp_path / "logs", state_directory=tmp_path / "state")
    try:
        site = Site(supervisor, logs=tmp_path / "logs", mask=Mask())
        yield balancer.start(site, [instance.address for instance in instances])
    finally:
        supervisor.stop()


def until(what: Callable[[], object], within_s: float = 3.0) -> None:
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.02)


def send(front: str, method: str, path: str, body: str | None = None) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(front, timeout=10)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def test_both_instances_get_their_share(front: str) -> None:
    assert Counter(send(front, "POST", "/", str(n))[1] for n in range(10)) == {b"a": 5, b"b": 5}


def test_with_no_instance_ready_the_answer_is_a_typed_503(front: str, instances: tuple[Instance, Instance]) -> None:
    for instance in instances:
        instance.ready = False
    deadline = time.monotonic() + 5
    while (answer := send(front, "POST", "/", "x"))[0].status != 503:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    response, body = answer
    error = json.loads(body)["error"]
    assert (error["code"], error["param"]) == ("guard_unavailable", None)
    assert response.headers["retry-after"] == "1"
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]
    instances[0].ready = True
    while send(front, "POST", "/", "x")[0].status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_post_whose_connection_breaks_off_is_told_and_never_repeated(front: str, instances: tuple[Instance, Instance]) -> None:
    for n in range(10):
        response, body = send(front, "POST", "/drop", f"order {n}")
        assert response.status == 502
        assert json.loads(body)["error"]["code"] == "upstream_error"
    received = instances[0].posts + instances[1].posts
    assert received == Counter({f"order {n}": 1 for n in range(10)})


def test_a_post_to_an_instance_that_has_just_gone_is_served_by_the_other_once(
    front: str, instances: tuple[Instance, Instance]
) -> None:
    instances[0].stop()
    time.sleep(0.1)  # its idle connections are seen to close; a POST on one of them would be told as 502, not repeated
    statuses = [send(front, "POST", "/", f"order {n}")[0].status for n in range(10)]
    assert statuses == [200] * 10
    assert instances[1].posts == Counter({f"order {n}": 1 for n in range(10)})


def test_the_first_chunk_of_a_stream_arrives_before_the_second_is_written(
    front: str, instances: tuple[Instance, Instance]
) -> None:
    connection = http.client.HTTPConnection(front, timeout=5)
    connection.request("POST", "/stream", "x")
    response = connection.getresponse()
    assert response.read1(9) == b"data: 1\n\n"
    for instance in instances:
        instance.release.set()
    assert response.read() == b"data: 2\n\n"
    connection.close()


@pytest.mark.parametrize("path", ["/slow", "/stream"])
def test_a_client_that_goes_away_is_noticed_by_the_instance(front: str, instances: tuple[Instance, Instance], path: str) -> None:
    with socket.create_connection(front.split(":"), timeout=5) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx".encode())
        until(lambda: any(instance.posts for instance in instances))
        if path == "/stream":
            received = b""
            while b"data: 1" not in received:
                received += connection.recv(65_536)
    serving = next(instance for instance in instances if instance.posts)

    def told() -> bool:
        is_open = [c for c in serving.connections if c.fileno() >= 0]
        return any(c.recv(1, socket.MSG_PEEK) == b"" for c in select.select(is_open, [], [], 0)[0])

    until(told)  # else it goes on writing, and paying, for no one


def test_an_answer_to_a_body_that_does_not_come_is_not_kept_until_it_has(front: str) -> None:
    with socket.create_connection(front.split(":"), timeout=5) as connection:
        connection.sendall(b"POST /impatient HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 408 ")


def test_a_head_that_does_not_come_is_let_go_after_five_seconds_and_a_stream_goes_on_longer(
    front: str, instances: tuple[Instance, Instance]
) -> None:
    began = time.monotonic()
    with contextlib.ExitStack() as open_ones:
        slow, silent, streaming = (
            open_ones.enter_context(socket.create_connection(front.split(":"), timeout=9)) for _ in range(3)
        )
        streaming.sendall(b"POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
        received = b""
        while b"data: 1" not in received:
            received += streaming.recv(65_536)
        for byte in b"POST / HTTP/1.1\r\nHost: ":
            slow.sendall(bytes([byte]))
            time.sleep(0.1)
        answer = slow.recv(65_536)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
        assert 4.5 < time.monotonic() - began < 8
        assert silent.recv(1) == b""
        time.sleep(0.5)
        for instance in instances:
            instance.release.set()
        while b"data: 2" not in received:
            more = streaming.recv(65_536)
            assert more
            received += more


def test_the_balancer_writes_nowhere_but_in_the_stacks_directory(front: str, tmp_path: Path) -> None:
    log = (tmp_path / "logs/balancer.log").read_text()
    assert ".config" not in log
    assert ".local" not in log


@pytest.mark.parametrize(
    ("defect", "received", "lost", "nobody"),
    [
        ("", 1, "upstream_error", "guard_unavailable"),
        ("balancer-repeats-posts", 2, "upstream_error", "guard_unavailable"),
        ("balancer-untyped-503", 1, None, None),
    ],
)
def test_the_operators_balancer_is_asked_and_its_mistakes_are_told(
    tmp_path: Path, defect: str, received: int, lost: str | None, nobody: str | None
) -> None:
    settings = {"SERVICE_DEFECT": defect, "SERVICE_UNDER_TEST": "yes"} if defect else {}
    programs = OperatorPrograms(database_url="", settings=settings, mask=Mask(), directory=lambda: tmp_path)
    told = dict(programs.run(PROGRAM, str(tmp_path)))
    told["received"] = min(int(str(told["received"])), 2)  # twice is as wrong as four times
    assert told == {
        "received": received,
        "lost_status": 502,
        "lost_code": lost,
        "lost_retry_after": None,
        "nobody_status": 503,
        "nobody_code": nobody,
        "nobody_retry_after": "1" if nobody else None,
    }
