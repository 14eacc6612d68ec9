"""The engine that cannot be reached, and whose containers are whose: told apart before anything is touched."""

import io
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import docker.errors
import pytest
import urllib3

from harness.errors import StackError, StorageError
from harness.faults.engine import Engine, EngineError, _without_frames, engine_stays, find_address
from harness.model.target import ContainerHandle
from harness.target.containers import images, label, provision
from harness.target.containers.create import engine_errors
from harness.target.containers.running import RunningContainers
from harness.target.containers.site import ContainerSite
from harness.target.operating.workshop import Workshop
from harness.target.supervise import marker
from harness.target.supervise.logs import Mask


def test_no_socket_anywhere_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("pathlib.Path.is_socket", lambda path: False)
    with pytest.raises(EngineError) as caught:
        find_address({"HOME": str(tmp_path)})
    assert caught.value.message.startswith("no container engine: no socket at /var/run/docker.sock")
    assert "--target embedded" in caught.value.advice


@pytest.mark.parametrize("host", ["tcp://192.0.2.7:2375", "ssh://me@far", "tcp://example.com:2376"])
def test_an_engine_of_another_machine_is_refused(host):
    with pytest.raises(EngineError, match="is not an engine of this machine"):
        find_address({"DOCKER_HOST": host})


@pytest.mark.parametrize(
    ("given", "address"),
    [("unix:///x/y.sock", "unix:///x/y.sock"), ("tcp://127.0.0.1:2375", "http://127.0.0.1:2375")],
)
def test_an_engine_of_this_machine_is_taken_as_configured(given, address):
    assert find_address({"DOCKER_HOST": given}) == address


def test_a_socket_that_nobody_serves_says_so(short_path):
    path = short_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    with pytest.raises(EngineError) as caught:
        Engine(f"unix://{path}").version()
    assert "does not run" in caught.value.message
    with pytest.raises(EngineError, match="there is no socket at"):
        Engine(f"unix://{path}.not").version()


def test_a_socket_without_permission_names_the_group(monkeypatch):
    monkeypatch.setattr(
        "harness.faults.engine._UnixConnection.connect", lambda self: (_ for _ in ()).throw(PermissionError(13, "denied"))
    )
    with pytest.raises(EngineError) as caught:
        Engine("unix:///var/run/docker.sock").version()
    assert caught.value.message == "no permission on the container engine's socket /var/run/docker.sock"
    assert "usermod -aG docker" in caught.value.advice


def test_an_engine_that_ends_while_it_builds_is_told_as_such(monkeypatch):
    """What its client says of it is an error of neither docker's nor requests' own kind."""

    class Client:
        def __init__(self) -> None:
            self.api = self

        def build(self, **_: object) -> Iterator[dict[str, str]]:
            yield {"stream": "Step 1/9"}
            raise urllib3.exceptions.ProtocolError("Connection broken")

        def close(self) -> None:
            pass

    monkeypatch.setattr(provision, "_client", lambda _: Client())
    monkeypatch.setattr(provision, "is_here", lambda *_: True)
    monkeypatch.setattr(provision, "_context", lambda _: io.BytesIO())
    with pytest.raises(StackError, match="could not be built: Connection broken") as caught:
        provision._build(Engine("unix:///x"), next(iter(images.OWN.values())), "ours:1", Path())
    assert "docker info" in caught.value.advice


class GoingEngine(threading.Thread):
    """An engine at a socket of its own, until it goes: `crashed` hangs up on everybody, `hung` accepts and says no more."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.address = f"unix://{path}"
        self.way = "well"
        self._held: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self.start()

    def run(self) -> None:
        while True:
            try:
                asking, _ = self._listener.accept()
            except OSError:
                return
            if self.way == "hung":
                self._held.append(asking)
                continue
            if self.way == "well":
                asking.recv(65536)
                asking.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\n[]\n")
            asking.close()

    def go(self, way: str) -> None:
        self.way = way
        if way == "stopped":
            self._listener.close()
            Path(self.address.removeprefix("unix://")).unlink()


@pytest.fixture
def going(short_path: Path) -> Iterator[GoingEngine]:
    engine = GoingEngine(short_path / "docker.sock")
    yield engine
    engine._listener.close()


@pytest.mark.parametrize(
    ("way", "why"),
    [("stopped", "there is no socket at"), ("crashed", "cannot be reached: "), ("hung", "it did not answer in time")],
)
def test_an_engine_that_goes_in_the_middle_of_a_run_is_said_to_have_gone_and_a_stop_does_not_wait_for_it(
    going: GoingEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, why: str
) -> None:
    patience = Engine.ask_raw
    monkeypatch.setattr(
        Engine, "ask_raw", lambda self, *what, **how: patience(self, *what, **how | {"timeout_s": min(how["timeout_s"], 0.3)})
    )
    site = ContainerSite(Engine(going.address), logs=tmp_path / "logs", mask=Mask([]))
    unused = dict.fromkeys(("reference", "base_url", "keys", "instances", "links", "provider_control_url", "witness", "ready"))
    running = RunningContainers(
        site=site,
        dependencies={},
        rollout=SimpleNamespace(expected=False),
        actor=None,
        workshop=Workshop(tmp_path, stack="the stack of containers"),
        **unused,
    )
    assert running.died() == []
    handle = ContainerHandle(name="worker", container_id="w", engine=going.address, networks={})
    site._containers["worker"] = handle
    going.go(way)
    with pytest.raises(StackError, match="the container engine went away in the middle of the run: .*" + why) as caught:
        running.died()
    assert "harness clean" in str(caught.value.advice)
    began = time.monotonic()
    running.stop()
    assert time.monotonic() - began < 3.0, "its patience with each container, one after another"


def test_what_an_engine_refuses_is_told_as_it_stands():
    with pytest.raises(EngineError, match=r"^no such container$"), engine_stays():
        raise EngineError("no such container", status=404)


def test_a_log_is_told_without_the_engines_frames_and_one_of_a_terminal_as_it_is():
    framed = b"\x01\0\0\0\0\0\0\x03one" + b"\x02\0\0\0\0\0\0\x04two\n"
    assert _without_frames(framed) == b"onetwo\n"
    assert _without_frames(b"plain text of a terminal") == b"plain text of a terminal"


def owner(**changes):
    written = json.loads(label.labels("s", "r", "n")[label.CONTROL])
    return {label.CONTROL: json.dumps(written | changes)}


def test_what_a_living_control_process_owns_is_no_leftover():
    assert not label.is_leftover(owner())


def test_what_a_dead_control_process_owned_is_one():
    assert label.is_leftover(owner(start_ticks=1))
    assert label.is_leftover(owner(pid=2**22 + 5))


def test_what_another_host_or_container_owns_is_never_ours_to_judge():
    host, boot, namespace = marker.this_place().rsplit(" ", 2)
    assert not label.is_leftover(owner(place=f"other {boot} {namespace}", start_ticks=1))
    assert not label.is_leftover(owner(place=f"{host} {boot} pid:[1]", start_ticks=1))
    assert label.is_leftover(owner(place=f"{host} 0000 {namespace}", pid=os.getpid())), "it was before the last boot"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"place": "x", "pid": "a", "start_ticks": 1}', "not json"])
def test_labels_that_cannot_be_read_are_nobodys_leftover(text):
    assert not label.is_leftover({label.CONTROL: text})


def test_a_disk_that_is_full_is_told_as_such_whether_it_builds_or_starts():
    full = "write /var/lib/docker/overlay2/x: no space left on device"
    answer = docker.errors.APIError("500 Server Error", explanation=full)
    with pytest.raises(StorageError, match="postgres could not be started: the engine's disk is full"), engine_errors("postgres"):
        raise answer
    failed = provision._failed("ours:1", ["Step 1/9", full])
    assert isinstance(failed, StorageError)
    assert "the engine's disk is full" in failed.message
    assert isinstance(provision._failed("ours:1", ["Step 1/9", "no such file"]), StackError)
