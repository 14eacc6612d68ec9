"""What checks have done on a compose project: by its engine and its database, and put back at the end."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.errors import StackError
from harness.faults.engine import EngineError
from harness.model.probe import Action
from harness.target.compose.actor import ComposeActor, compose_hands
from harness.target.compose.project import Project
from harness.target.compose.running import RunningCompose
from harness.target.operating.programs import OperatorPrograms
from harness.target.operating.workshop import Workshop
from harness.target.supervise.logs import Mask


@dataclass
class Engine:
    """A project's engine. deaf: who hears no SIGTERM. secrets: what `cat` prints."""

    running: dict[str, bool] = field(default_factory=lambda: {"service-a": True, "service-b": True, "postgres": True})
    deaf: set[str] = field(default_factory=set)
    secrets: dict[str, str] = field(default_factory=lambda: {"database-password": "s3cret"})
    asked: list[str] = field(default_factory=list)
    gone: bool = False
    address: str = "unix:///x"

    def ask(self, method, path, *, query=None, body=None):
        if self.gone:
            raise EngineError("the container engine does not answer")
        _, _, handle, does = path.split("/")
        name = handle.removeprefix("id-of-")
        if does == "json":
            return {"Id": handle, "State": {"Running": self.running[name], "ExitCode": 0 if self.running[name] else 7}}
        self.asked.append(f"{does} {name}")
        if does == "kill":
            assert query == {"signal": "SIGTERM"}
            self.running[name] = name in self.deaf
        else:
            self.running[name] = True
        return None

    def execute(self, container_id, command, *, user="root"):
        assert container_id == "id-of-postgres"
        said = self.secrets.get(command[-1].removeprefix("/run/secrets/"))
        return (1, "cat: no such file") if said is None else (0, said + "\n")

    def logs(self, container_id, *, since_s=0.0):
        return b"{}"


def project(engine: Engine) -> Project:
    return Project("p", engine, {name: {"Id": f"id-of-{name}"} for name in engine.running})  # type: ignore[arg-type]


def actor(engine: Engine, directory: Path, awaited: list[str] | None = None) -> ComposeActor:
    waited: list[str] = [] if awaited is None else awaited
    programs = OperatorPrograms(
        database_url="postgresql://u:s3cret@127.0.0.1:1/db", settings={}, mask=Mask(("s3cret",)), directory=lambda: directory
    )
    hands = compose_hands(project(engine), waited.append)
    return ComposeActor(hands, programs, keys={"ann": "sk-1"}, names={"ann": "ann-4711"}, base_url="http://127.0.0.1:1")


def act(on: ComposeActor, does: str, principal: str | None = None, **arguments: str):
    return on.act(Action(check_id="c", name="a", at_ns=0, does=does, arguments=arguments, principal=principal))


def test_an_instance_is_ended_and_started_by_the_engine_and_awaited(tmp_path):
    engine, awaited = Engine(), []
    on = actor(engine, tmp_path, awaited)
    assert act(on, "drain-instance", instance="b").told["exit_code"] == 7
    assert on.ended_on_purpose() == {"service-b"}
    assert not engine.running["service-b"]
    act(on, "start-instance", instance="b")
    assert (engine.asked, awaited) == (["kill service-b", "start service-b"], ["service-b"])
    assert on.ended_on_purpose() == frozenset()


def test_an_instance_that_hears_no_signal_has_no_exit_code(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.target.operating.instances._STOPS_WITHIN_S", 0.05)
    assert act(actor(Engine(deaf={"service-a"}), tmp_path), "drain-instance", instance="a").told["exit_code"] is None


def test_what_was_ended_and_not_started_is_started_at_the_end_and_nothing_else(tmp_path):
    engine = Engine()
    on = actor(engine, tmp_path)
    on.put_back()
    assert engine.asked == []
    act(on, "drain-instance", instance="a")
    on.put_back()
    assert engine.running == {"service-a": True, "service-b": True, "postgres": True}
    on.put_back()  # it runs: whoever started it, it is not started twice
    assert engine.asked == ["kill service-a", "start service-a"]


def test_the_end_of_a_run_puts_back_what_a_check_has_ended_and_removes_the_operators_directory(tmp_path):
    engine = Engine()
    on, workshop = actor(engine, tmp_path), Workshop(tmp_path, stack="the compose stack")
    act(on, "drain-instance", instance="a")
    place = workshop.directory()
    running = RunningCompose(
        project=project(engine), logs=tmp_path, mask=Mask(), began_s=0.0, reference=SimpleNamespace(), base_url="", keys={},  # type: ignore[arg-type]
        instances=(), links={}, provider_control_url="", witness=SimpleNamespace(), ready={}, actor=on, workshop=workshop,  # type: ignore[arg-type]
    )  # fmt: skip
    running.stop()
    assert engine.running["service-a"]
    assert not place.exists()


def test_an_engine_that_went_away_says_that_an_instance_is_still_ended(tmp_path):
    engine = Engine()
    on = actor(engine, tmp_path)
    act(on, "drain-instance", instance="a")
    engine.gone = True
    with pytest.raises(StackError, match="does not answer"):
        on.put_back()


def test_a_key_is_rotated_under_the_name_that_the_user_has_in_the_projects_database(tmp_path, monkeypatch):
    told = []

    def run(command, **_):
        told.append(command)
        return SimpleNamespace(returncode=0, stdout=json.dumps({"key": "sk-2", "old_keys": 1, "keys": 2}), stderr="")

    monkeypatch.setattr("subprocess.run", run)
    on = actor(Engine(), tmp_path)
    assert act(on, "rotate-key", "ann", overlap_s="36").new_key == "sk-2"
    assert act(on, "revoke-key", "ann").told == {"keys": 2}
    assert [each[:5] for each in told] == [
        [sys.executable, "-m", "reference_service.keys", does, "ann-4711"] for does in ("rotate", "revoke")
    ]


@pytest.mark.parametrize("does", ["set-feature", "kill-feature", "roll-out"])
def test_what_the_file_gives_no_hand_on_is_said_to_be_none_of_its_deeds(does, tmp_path):
    with pytest.raises(StackError, match=f"the compose stack cannot '{does}'; it can rotate-key, "):
        act(actor(Engine(), tmp_path), does)


def test_a_secret_is_read_in_the_databases_container_and_a_missing_one_says_what_to_do():
    assert project(Engine()).secret("database-password") == "s3cret"
    with pytest.raises(StackError, match="the project's database-password cannot be read") as caught:
        project(Engine(secrets={})).secret("database-password")
    assert "docker compose up" in caught.value.advice
