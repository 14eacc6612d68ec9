"""What doctor says of containers is what a run would say, before there is a run."""

import os
import shutil
from types import SimpleNamespace

import pytest

from harness.cli import doctor_containers
from harness.cli.doctor_finding import Finding
from harness.errors import StackError
from harness.faults.engine import Engine, EngineError
from harness.target.containers import images
from harness.target.external import compose_file


class Answers:
    """An engine with some images. here: their names."""

    address = "unix:///engine"

    def __init__(self, here: list[str]) -> None:
        self._here = here

    def version(self) -> str:
        return "28.0"

    def ask(self, method: str, path: str) -> dict[str, str]:
        if path == "/info":
            return {"DockerRootDir": "/engine-root"}
        if path.removeprefix("/images/").removesuffix("/json") in self._here:
            return {}
        raise EngineError("no such image", status=404)


def findings(monkeypatch: pytest.MonkeyPatch, engine: Answers | None, *, free_mb: int | None = 9000) -> dict[str, Finding]:
    def find() -> Answers:
        if engine is None:
            raise EngineError("no permission on the socket", advice="sudo usermod -aG docker $USER")
        return engine

    def disk_usage(path: str) -> SimpleNamespace:
        assert path == "/engine-root"
        if free_mb is None:
            raise PermissionError(13, os.strerror(13))
        return SimpleNamespace(free=free_mb * 10**6)

    monkeypatch.setattr(Engine, "find", find)
    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    return {each.what: each for each in doctor_containers.container_findings()}


@pytest.fixture(autouse=True)
def compose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose_file, "compose_command", lambda: ("docker", "compose"))


ALL = [images.name_of(key) for key in ("toxiproxy", "postgres", "valkey", "caddy", "service", "provider")]


def test_a_machine_that_has_it_all(monkeypatch):
    found = findings(monkeypatch, Answers(ALL))
    assert all(each.ok and not each.needed for each in found.values())
    assert found["images of --target containers"].found == "all 6 are here"
    assert found["container engine"].found == "28.0 at unix:///engine"
    assert found["compose"].found == "`docker compose`"


def test_images_that_are_not_here_are_named_with_what_the_first_run_does(monkeypatch):
    told = findings(monkeypatch, Answers(ALL[1:5]))["images of --target containers"]
    assert not told.ok
    assert told.found == f"the first run pulls {ALL[0]}; it builds {ALL[5]}"


@pytest.mark.parametrize(
    ("free_mb", "ok", "words"), [(100, False, "100 MB free in /engine-root; see"), (None, False, "not known: /engine-root: Perm")]
)
def test_the_engines_disk_is_looked_at_where_this_user_may(monkeypatch, free_mb, ok, words):
    disk = findings(monkeypatch, Answers(ALL), free_mb=free_mb)["2,000 MB for images and containers"]
    assert (disk.ok, words in disk.found) == (ok, True), disk.found


def test_no_engine_and_no_compose_are_told_with_what_to_do(monkeypatch):
    def none() -> tuple[str, ...]:
        raise StackError("docker-compose 1.25.0 is too old", advice="install 1.29")

    monkeypatch.setattr(compose_file, "compose_command", none)
    found = findings(monkeypatch, None)
    assert {what: (each.ok, each.found) for what, each in found.items()} == {
        "container engine": (False, "no permission on the socket; sudo usermod -aG docker $USER"),
        "compose": (False, "docker-compose 1.25.0 is too old; install 1.29"),
    }
