"""A file in a container's volume is written by the engine: what is asked of it, and what is said where it refuses."""

import http.server
import io
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from harness.errors import FaultError
from harness.faults.clock import UNMOVED, ClockBackend
from harness.faults.container_undo import bring_back
from harness.faults.guardian.undo import ContainerStep
from harness.model.fault import Fault
from harness.model.target import Clock, ContainerHandle

SKEW = Fault(id="f1", at="clocks.service-a", kind="clock_skew", phase="p", apply_ns=0, clear_ns=1, parameters={"offset": 60})


class Answering(http.server.BaseHTTPRequestHandler):
    status = 200
    put: tuple[str, dict[str, list[str]], dict[str, tuple[int, bytes]]] | None = None

    def do_GET(self) -> None:
        self._answer(b'{"State": {"Running": false, "Paused": false}}')

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["content-length"]))
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            files = {part.name: (part.mode, file.read()) for part in tar if (file := tar.extractfile(part)) is not None}
        parts = urlsplit(self.path)
        type(self).put = (parts.path, parse_qs(parts.query), files)
        self._answer(b'{"message": "no space left on device"}')

    def _answer(self, body: bytes) -> None:
        self.send_response(type(self).status if self.command == "PUT" else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def engine() -> Iterator[tuple[str, type[Answering]]]:
    class Mine(Answering):
        pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mine) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", Mine
        server.shutdown()


def clock(engine: str) -> Clock:
    inside = ContainerHandle(name="llm-a", container_id="abc", engine=engine)
    return Clock(file=Path("/run/secrets/clock"), container=inside, seen_at="http://127.0.0.1:1/live")


def test_the_undo_step_of_a_clock_in_a_container_puts_the_true_time_into_it_also_where_it_is_ended(engine):
    address, asked = engine
    (step,) = ClockBackend({"clocks.service-a": clock(address)}).undo_steps(SKEW)
    assert isinstance(step, ContainerStep)
    assert bring_back(step) is None
    files = {"clock": (0o444, UNMOVED.encode())}
    assert asked.put == ("/containers/abc/archive", {"path": ["/run/secrets"]}, files)


def test_where_the_engine_refuses_a_person_is_told_what_to_do(engine):
    address, asked = engine
    asked.status = 500
    (step,) = ClockBackend({"clocks.service-a": clock(address)}).undo_steps(SKEW)
    assert isinstance(step, ContainerStep)
    assert bring_back(step) == (
        "write '+0\\n' to /run/secrets/clock in container abc (the container engine refuses PUT /containers/abc/archive: no space left on device)"
    )


def test_a_clock_that_cannot_be_moved_is_named_with_the_container_and_what_to_do(engine, monkeypatch):
    address, asked = engine
    asked.status = 500
    backend = ClockBackend({"clocks.service-a": clock(address)})
    monkeypatch.setattr(backend, "_shows", lambda *_: True)
    with pytest.raises(FaultError, match=r"f1: /run/secrets/clock cannot be written: .*no space left") as refused:
        backend.apply(SKEW)
    assert refused.value.advice == "by hand: write +0 to /run/secrets/clock in container llm-a"
