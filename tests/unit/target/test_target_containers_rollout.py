"""Where another version of the containers stands, and what is said where it cannot be told its share."""

import io
import json
import tarfile
from types import SimpleNamespace

import pytest

from harness.errors import StackError
from harness.model.target import Needs
from harness.target.containers.rollout import ContainerRollout
from harness.target.containers.topology import Topology
from harness.target.embedded.credentials import Credentials

IMAGES = dict.fromkeys(("toxiproxy", "postgres", "valkey", "caddy", "service", "provider"), "image")
PARTS = Topology(images=IMAGES, version="1", credentials=Credentials.generate(Needs(principals=1)), seed=1)


class Engine:
    """An engine of one balancer. text: what stands in its file, None where there is none."""

    def __init__(self, text: str | None = "0000", code: int = 0) -> None:
        self.text, self.code = text, code
        self.executed: list[list[str]] = []

    def execute(self, container_id: str, command: list[str]) -> tuple[int, str]:
        self.executed.append([container_id, *command])
        return self.code, "sh: not found\n" if self.code else ""

    def ask_raw(self, method: str, path: str, *, query: dict[str, str]) -> bytes:
        assert (method, path, query) == ("GET", "/containers/id-of-balancer/archive", {"path": "/run/secrets/green"})
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            if self.text is not None:
                info = tarfile.TarInfo("green")
                info.size = len(self.text)
                tar.addfile(info, io.BytesIO(self.text.encode()))
        return buffer.getvalue()


def rollout(engine: Engine) -> ContainerRollout:
    site = SimpleNamespace(engine=engine, handles=lambda: {"balancer": SimpleNamespace(container_id="id-of-balancer")})
    return ContainerRollout(site, PARTS)  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "percent"), [("0000", 0), ("0ccc", 5), ("8000", 50), ("g", 100)])
def test_a_share_is_written_in_one_step_and_read_back(text, percent):
    engine = Engine(text)
    rollout(engine).shift(percent)
    (command,) = engine.executed
    assert command[0] == "id-of-balancer"
    assert command[-1] == text
    assert "&& mv /run/secrets/green.new /run/secrets/green" in command[3]
    assert rollout(engine).percent() == percent


def test_a_balancer_that_cannot_be_told_says_why():
    with pytest.raises(StackError, match=r"cannot be told: /run/secrets/green in its container: sh: not found \(exit code 127\)"):
        rollout(Engine(code=127)).shift(5)


@pytest.mark.parametrize("text", [None, "", "zz"])
def test_a_share_that_cannot_be_read_is_never_taken_for_none(text):
    with pytest.raises(StackError, match="cannot be read"):
        rollout(Engine(text)).percent()


def test_the_balancer_reads_the_share_that_it_is_given_and_knows_where_the_other_version_will_be():
    balancer = PARTS.balancer()
    assert balancer.files["green"] == "0000"
    first, _ = json.loads(balancer.files["caddy.json"])["apps"]["http"]["servers"]["front"]["routes"]
    assert '"file./run/secrets/green"' in first["match"][0]["expression"]
    other = PARTS.other_version({"SERVICE_VERSION": "2"})
    assert first["handle"][0]["upstreams"] == [{"dial": f"{other.name}:8080"}]
    assert (other.environment["SERVICE_VERSION"], other.environment["SERVICE_INSTANCE"]) == ("2", "service-other")
    assert other.files == PARTS.service("a").files
