"""What is said of an action on the reference service, whatever its instances are: processes or containers."""

import io
import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from types import SimpleNamespace

import pytest

from harness.errors import StackError
from harness.model.probe import ACTIONS, Action
from harness.model.target import Dependency, Needs
from harness.target.containers.create import _archive
from harness.target.containers.hands import ContainerHands
from harness.target.containers.part import IMAGE_USER
from harness.target.containers.receiving import pointed, receiver_part, receives
from harness.target.containers.topology import FLAGS, Topology
from harness.target.embedded.credentials import Credentials
from harness.target.operating.actor import ReferenceActor
from harness.target.operating.operators import FOR_PROGRAMS
from harness.target.operating.programs import OperatorPrograms
from harness.target.operating.workshop import Workshop
from harness.target.supervise.logs import Mask

NO_STORE = Dependency(name="redis", kind="redis", address="127.0.0.1:1")
ROLL_OUT = {"version": "2", "defect": "", "watch_s": "1", "least": "3", "patience_s": "4"}


@dataclass
class FakeRollout:
    expected: bool = False
    said: list[str] = field(default_factory=list)

    def start(self, *, version: str, defect: str | None) -> None:
        self.expected = True
        self.said.append(f"start {version} {defect}")

    def shift(self, percent: int) -> None:
        self.said.append(f"shift {percent}")

    def percent(self) -> int:
        return 100

    def end(self) -> None:
        self.expected = False
        self.said.append("end")


@dataclass
class FakeHands:
    """code: what an instance ends with, None where it does not end. ended: what the rollout program comes to."""

    code: int | None = 0
    ended: tuple[int, str] | None = (0, "")
    stack: str = "the stack of this test"
    balancer: str = "/balancer"
    store: Dependency = NO_STORE
    rollout: FakeRollout = field(default_factory=FakeRollout)
    running: set[str] = field(default_factory=lambda: {"service-a", "service-b"})
    said: list[tuple[str, ...]] = field(default_factory=list)

    def run_rollout(self, arguments, within_s):
        self.said.append(tuple(arguments))
        return self.ended

    def runs(self, name):
        return name in self.running

    def end(self, name, within_s):
        if self.code is not None:
            self.running.discard(name)
        return self.code

    def start_again(self, name):
        self.running.add(name)

    def change_features(self, *what):
        self.said.append(what)


def programs(directory: Path, **settings: str) -> OperatorPrograms:
    return OperatorPrograms(
        database_url="postgresql://u:s3cret@127.0.0.1:1/db", settings=settings, mask=Mask(["s3cret"]), directory=lambda: directory
    )


def act(hands, directory, does, **arguments):
    actor = ReferenceActor(hands, programs(directory), keys={}, base_url="http://127.0.0.1:1")
    return actor, actor.act(Action(check_id="c", name="a", at_ns=0, does=does, arguments=arguments))


def test_an_instance_that_is_drained_is_dead_on_purpose_until_it_is_started(tmp_path):
    hands = FakeHands(code=7)
    actor, done = act(hands, tmp_path, "drain-instance", instance="b")
    assert (done.told["instance"], done.told["exit_code"]) == ("service-b", 7)
    assert actor.ended_on_purpose() == {"service-b"}
    actor.act(Action(check_id="c", name="a", at_ns=0, does="start-instance", arguments={"instance": "b"}))
    assert actor.ended_on_purpose() == frozenset()


def test_an_instance_that_does_not_end_in_time_has_neither_code_nor_time(tmp_path):
    _, done = act(FakeHands(code=None), tmp_path, "drain-instance", instance="a")
    assert done.told == {"instance": "service-a", "exit_code": None, "took_ms": None}


@pytest.mark.parametrize(
    ("does", "arguments", "told"),
    [
        ("fly", {}, "the stack of this test cannot 'fly'; it can rotate-key, "),
        ("drain-instance", {"instance": "z"}, "there is no instance 'service-z'; there are service-a, service-b"),
        ("start-instance", {"instance": "a"}, "service-a runs already"),
        ("rotate-key", {}, "rotate-key must say for whom"),
        ("restore", {}, "there is no backup to restore"),
        (
            "fill-global-window",
            {"limit": "9", "left": "3"},
            "the window of all users cannot be filled: the store at 127.0.0.1:1 ",
        ),
    ],
)
def test_what_cannot_be_done_says_why(does, arguments, told, tmp_path):
    with pytest.raises(StackError, match=told):
        act(FakeHands(), tmp_path, does, **arguments)


def test_what_a_feature_is_to_be_reaches_the_operators_program_as_it_stands(tmp_path):
    hands = FakeHands()
    act(hands, tmp_path, "set-feature", feature="f", share="0.2")
    act(hands, tmp_path, "kill-feature", feature="f")
    assert hands.said == [("set", "f", "0.2"), ("kill", "f")]


def test_a_roll_out_tells_what_its_program_said_and_gives_all_of_it_back(tmp_path):
    hands = FakeHands(ended=(3, '{"event": "x"}\n5 % to green\n25 % to green\ntaken back: too few\n'))
    _, done = act(hands, tmp_path, "roll-out", **ROLL_OUT)
    told = {name: value for name, value in done.told.items() if name != "took_ms"}
    assert told == {"exit_code": 3, "percent": 100, "steps": 2, "said": "taken back: too few"}
    assert hands.rollout.said == ["start 2 None", "shift 0", "end"]
    assert hands.said[0][:3] == ("canary", "--balancer", "/balancer")


def test_a_roll_out_that_never_ends_is_given_back_too(tmp_path):
    hands = FakeHands(ended=None)
    with pytest.raises(StackError, match="the roll-out did not end within 60 s"):
        act(hands, tmp_path, "roll-out", **ROLL_OUT)
    assert hands.rollout.said == ["start 2 None", "shift 0", "end"]


def test_what_is_told_for_a_program_is_offered_where_there_is_one(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    assert ReferenceActor.capabilities() == {f"actions.{name}" for name in ACTIONS}
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert ReferenceActor.capabilities() == {f"actions.{name}" for name in ACTIONS.keys() - FOR_PROGRAMS.keys()}
    monkeypatch.setattr("shutil.which", {"promtool": "/bin/promtool"}.get)
    offered = ReferenceActor.capabilities()
    assert "actions.tell-alert-rules" in offered
    assert "actions.tell-alert-routing" not in offered


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        (CompletedProcess((), 1, "", "no way to s3cret\n"), r"talk x failed \(1\): no way to \*\*\*$"),
        (CompletedProcess((), 0, "[1]\n", ""), "talk x printed no JSON object"),
        (TimeoutExpired((), 30), "talk x did not end within 30 s"),
    ],
)
def test_an_operators_program_that_fails_says_so_without_a_secret(ended, told, tmp_path, monkeypatch):
    def run(*_, **__):
        if isinstance(ended, Exception):
            raise ended
        return ended

    monkeypatch.setattr("subprocess.run", run)
    with pytest.raises(StackError, match=told):
        programs(tmp_path).run("talk", "x")


def test_an_operators_program_is_told_the_database_and_a_planted_defect_and_none_of_the_other_settings(tmp_path):
    told = programs(tmp_path, SERVICE_DEFECT="d", SERVICE_UNDER_TEST="yes", SERVICE_RATE_LIMIT="9").environment()
    assert told["SERVICE_DATABASE_URL"].startswith("postgresql://")
    assert (told["SERVICE_DEFECT"], told["SERVICE_UNDER_TEST"]) == ("d", "yes")
    assert "SERVICE_RATE_LIMIT" not in told
    assert told["TMPDIR"] == str(tmp_path)


def test_nothing_is_run_for_operators_of_containers_that_are_ending(tmp_path):
    workshop = Workshop(tmp_path / "logs", stack="the stack of containers")
    workshop.close()
    with pytest.raises(StackError, match="the stack of containers is ending"):
        workshop.directory()
    assert list(tmp_path.iterdir()) == []


def test_features_stand_where_the_containers_own_user_may_replace_them_and_secrets_do_not():
    images = dict.fromkeys(("service", "caddy"), "image")
    parts = Topology(images=images, version="1", credentials=Credentials.generate(Needs(principals=1)), seed=1)
    for part in (parts.service("a"), parts.other_version({}), parts.worker()):
        assert part.environment["SERVICE_FLAGS"] == f"/run/secrets/{FLAGS}"
        owners = {}
        for name, text in part.files.items():
            with tarfile.open(fileobj=io.BytesIO(_archive({name: text.encode()}, 0o444))) as tar:
                owners |= {member.name: member.uid for member in tar}
        assert owners == dict.fromkeys(owners, 0) | {"flags": IMAGE_USER, FLAGS: IMAGE_USER}


class Containers:
    """A site of two instances, one of them ended, and a worker. code: what a command in one of them ends with."""

    def __init__(self, code: int) -> None:
        self.engine, self.code = self, code
        self.put: dict[str, tuple[str, str]] = {}

    def states(self):
        return {"service-a": "running", "service-b": "exited", "worker": "running"}

    def handles(self):
        return {name: SimpleNamespace(container_id=f"id-of-{name}") for name in self.states()}

    def execute(self, container_id, command, *, user):
        self.put[container_id] = (command[-1], user)
        return self.code, "Read-only file system" if self.code else ""


def test_a_feature_is_changed_once_and_put_before_each_container_that_runs(tmp_path):
    site = Containers(0)
    hands = ContainerHands(site, None, None, programs(tmp_path))
    hands.change_features("set", "enhanced-rag", "0.2")
    hands.change_features("kill", "enhanced-rag")
    assert site.put.keys() == {"id-of-service-a", "id-of-worker"}
    assert {user for _, user in site.put.values()} == {"10001:10001"}
    assert [json.loads(text) for text, _ in site.put.values()] == [{"enhanced-rag": {"enabled": False, "rollout": 0.2}}] * 2
    with pytest.raises(StackError, match=r"the features of service-a could not be changed \(1\): Read-only file system"):
        ContainerHands(Containers(1), None, None, programs(tmp_path)).change_features("revive", "enhanced-rag")


def test_a_receiver_is_pointed_at_where_one_is_asked_for_and_nowhere_else():
    assert not receives(pointed({}))
    assert pointed({"SERVICE_WEBHOOK_URL": "http://127.0.0.1:9/"}) == {"SERVICE_WEBHOOK_URL": "http://127.0.0.1:9/"}
    settings = pointed({"SERVICE_WEBHOOK_URL": "here", "SERVICE_RATE_LIMIT": "9"})
    assert receives(settings)
    assert settings == {"SERVICE_WEBHOOK_URL": "http://receiver:8090/", "SERVICE_RATE_LIMIT": "9"}
    part = receiver_part("image")
    assert (part.name, part.command[3], part.published) == ("receiver", "8090", ())
