"""A described target that lives half in a container: each process is met by the way that it is described."""

import contextlib
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import ConfigurationError
from harness.faults import FaultInjector
from harness.faults.engine import Engine, EngineError
from harness.model.fault import Fault
from harness.model.target import Needs
from harness.target.containers.images import PUBLIC
from harness.target.description import read_description
from harness.target.external import ExternalTarget

DESCRIPTION = """
name: mine
base_url: http://127.0.0.1:${port}
auth: {value: none}
start:
  command: ["${python}", -m, http.server, "${port}", --bind, 127.0.0.1, --directory, "${scratch}"]
  ready: {get: /, within: 30s}
processes: {redis: {container: NAME}, worker: {pid_file: worker.pid}}
"""


@pytest.fixture
def container(engine: Engine) -> Iterator[str]:
    name = f"harness-test-{secrets.token_hex(4)}"
    image = PUBLIC["valkey"]
    try:
        engine.ask("GET", f"/images/{image}/json")
    except EngineError:
        repository, _, tag = image.partition(":")
        engine.ask_raw("POST", "/images/create", query={"fromImage": repository, "tag": tag}, timeout_s=300.0)
    engine.ask("POST", "/containers/create", query={"name": name}, body={"Image": image, "Cmd": ["valkey-server"]})
    engine.ask("POST", f"/containers/{name}/start")
    yield name
    with contextlib.suppress(EngineError):  # a test may have removed it
        engine.ask_raw("DELETE", f"/containers/{name}", query={"force": "true", "v": "true"})


def state(engine: Engine, name: str) -> dict:
    return dict(engine.ask("GET", f"/containers/{name}/json")["State"])


def fault(kind: str, at: str) -> Fault:
    return Fault(id=f"f-{kind}", at=at, kind=kind, phase="p", apply_ns=0, clear_ns=1)


def test_a_container_and_a_process_of_one_target_are_broken_and_healed_each_by_its_own_means(
    engine: Engine, container: str, tmp_path: Path
) -> None:
    worker = subprocess.Popen(["sleep", "600"])
    (tmp_path / "worker.pid").write_text(str(worker.pid))
    (tmp_path / "target.yaml").write_text(DESCRIPTION.replace("NAME", container))
    target = ExternalTarget(read_description(tmp_path / "target.yaml"), state_directory=tmp_path / "state", checked=False)
    assert {"processes.redis", "containers.redis", "processes.worker"} <= target.offer().places
    assert target.offer().freeze_only == {"processes.worker"}
    running = target.start(Needs(principals=1), tmp_path / "logs")
    injector = FaultInjector(running.landscape, lambda *_, **__: None)
    try:
        injector.apply(fault("freeze", "processes.redis"))
        injector.apply(Fault(id="w", at="processes.worker", kind="freeze", phase="p", apply_ns=0, clear_ns=1))
        assert state(engine, container)["Paused"]
        assert Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
        injector.clear("w")
        injector.clear("f-freeze")
        assert not state(engine, container)["Paused"]
        injector.apply(fault("kill", "processes.redis"))
        assert not state(engine, container)["Running"]
        injector.clear("f-kill")
        assert state(engine, container)["Running"]
        injector.apply(fault("disconnect", "containers.redis"))
        injector.clear("f-disconnect")
        assert running.died() == []
    finally:
        assert injector.clear_all() == []
        running.stop()
        worker.kill()
        worker.wait()
    assert state(engine, container)["Running"], "what ran before the run stays when it is over"


def test_names_do_not_resolve_in_a_container_and_do_again(engine: Engine, container: str, tmp_path: Path) -> None:
    """On a network of its own, where the engine's resolver knows the container by its name."""
    network = engine.ask("POST", "/networks/create", body={"Name": f"{container}-net"})["Id"]
    try:
        engine.ask("POST", f"/networks/{network}/connect", body={"Container": container})
        engine.ask("POST", f"/containers/{container}/restart", query={"t": "0"})
        (tmp_path / "target.yaml").write_text(
            DESCRIPTION.replace("NAME", container).replace(", worker: {pid_file: worker.pid}", "")
        )
        target = ExternalTarget(read_description(tmp_path / "target.yaml"), state_directory=tmp_path / "state", checked=False)
        running = target.start(Needs(principals=1), tmp_path / "logs")
        injector = FaultInjector(running.landscape, lambda *_, **__: None)

        def resolves() -> bool:
            return engine.execute(container, ["getent", "ahosts", container])[0] == 0

        try:
            before = engine.execute(container, ["cat", "/etc/resolv.conf"])
            assert resolves()
            injector.apply(fault("no_names", "containers.redis"))
            assert not resolves()
            injector.clear("f-no_names")
            assert resolves()
            assert engine.execute(container, ["cat", "/etc/resolv.conf"]) == before
        finally:
            assert injector.clear_all() == []
            running.stop()
    finally:
        engine.ask_raw("DELETE", f"/containers/{container}", query={"force": "true", "v": "true"})
        engine.ask_raw("DELETE", f"/networks/{network}")


def test_a_container_that_is_not_there_is_told_before_anything_is_broken(engine: Engine, tmp_path: Path) -> None:
    del engine
    (tmp_path / "worker.pid").write_text("1")
    text = DESCRIPTION.replace("NAME", "harness-test-nobody").replace(", worker: {pid_file: worker.pid}", "")
    (tmp_path / "target.yaml").write_text(text)
    target = ExternalTarget(read_description(tmp_path / "target.yaml"), state_directory=tmp_path / "state", checked=False)
    with pytest.raises(ConfigurationError, match="no container is called 'harness-test-nobody'"):
        target.start(Needs(principals=1), tmp_path / "logs")
