"""Actions of a described target: a request or a command as the description says, and no key where somebody could read it."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.errors import ConfigurationError, StackError
from harness.model.probe import Action
from harness.target.description import read_description
from harness.target.description.placeholders import Placeholders
from harness.target.external import ExternalTarget
from harness.target.external.acting import ForeignActor
from harness.target.external.caller import Answer

HEAD = 'name: t\nbase_url: http://127.0.0.1:4000\nprincipals: {a: {key: "${env:K}"}}\n'


@dataclass
class FakeCaller:
    """Remembers what it was asked, and answers as told."""

    answer: Answer = field(default_factory=lambda: Answer(status=200, headers={}, body=b'{"made": {"key": "sk-new"}}'))
    asked: list[tuple[str, object, dict[str, str]]] = field(default_factory=list)

    def post(self, path: str, body: object, *, headers: dict[str, str], timeout_s: float) -> Answer:
        assert timeout_s > 0
        self.asked.append((path, body, headers))
        return self.answer


def actor(tmp_path: Path, actions: str, caller: FakeCaller | None = None) -> tuple[ForeignActor, list[str], FakeCaller]:
    file = tmp_path / "t.yaml"
    file.write_text(HEAD + f"actions:\n  {actions}\n")
    document = read_description(file).document
    hidden: list[str] = []
    caller = caller or FakeCaller()
    places = Placeholders(folder=tmp_path, environment={"K": "sk-alice-own"}, values={"python": sys.executable})
    keys = {"alice": "sk-alice-own"}
    return ForeignActor(document.actions, tmp_path, places, caller, keys, hidden.extend), hidden, caller  # type: ignore[arg-type]


def act(does: str, **arguments: str) -> Action:
    return Action(check_id="c", name="n", at_ns=0, does=does, principal="alice", arguments=arguments)


ROTATE = 'rotate-key: {post: /rotate, headers: {x-key: "${key}"}, body: {user: "${principal}", hours: "${overlap_s}"}, key: $.made.key}'


def test_a_request_is_filled_in_and_its_new_key_is_hidden(tmp_path: Path) -> None:
    doing, hidden, caller = actor(tmp_path, ROTATE)
    done = doing.act(act("rotate-key", overlap_s="5"))
    assert done.new_key == "sk-new"
    assert "sk-new" not in repr(done)
    assert hidden == ["sk-new"]
    assert caller.asked == [("/rotate", {"user": "alice", "hours": "5"}, {"x-key": "sk-alice-own"})]


def test_a_command_gets_the_key_in_its_environment_only(tmp_path: Path) -> None:
    script = tmp_path / "do.py"
    script.write_text("import json, os, sys\nprint('hello')\nprint(json.dumps({'key': os.environ['OLD'] + sys.argv[1]}))\n")
    doing, _, _ = actor(tmp_path, 'rotate-key: {command: ["${python}", do.py, "-${principal}"], env: {OLD: "${key}"}}')
    assert doing.act(act("rotate-key", overlap_s="5")).new_key == "sk-alice-own-alice"
    on_the_line, _, _ = actor(tmp_path, 'revoke-key: {command: ["${python}", do.py, "${key}"]}')
    with pytest.raises(StackError, match="not known here"):
        on_the_line.act(act("revoke-key"))


@pytest.mark.parametrize(
    ("actions", "answer", "told"),
    [
        (ROTATE, Answer(status=500, headers={}, body=b""), "answered with 500"),
        (ROTATE, Answer(status=200, headers={}, body=json.dumps({"made": 7}).encode()), "a new key"),
        ('revoke-key: {command: ["${python}", -c, "raise SystemExit(3)"]}', None, "exit code 3"),
        ("revoke-key: {command: [./not-there]}", None, "failed: FileNotFoundError"),
        ('revoke-key: {command: ["${python}", -c, "import time; time.sleep(9)"], within: 100ms}', None, "TimeoutExpired"),
        ("back-up: {post: /backup}", None, "no `actions.revoke-key`"),
    ],
)
def test_what_cannot_be_done_is_said_without_a_key(actions: str, answer: Answer | None, told: str, tmp_path: Path) -> None:
    doing, _, _ = actor(tmp_path, actions, None if answer is None else FakeCaller(answer))
    with pytest.raises(StackError, match=told) as caught:
        doing.act(act("rotate-key" if "rotate" in actions else "revoke-key", overlap_s="1"))
    assert "sk-" not in str(caught.value)


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        ("rotate-keys: {post: /x}", "did you mean 'rotate-key'"),
        ("revoke-key: {}", "either `post"),
        ("revoke-key: {post: /x, command: [y]}", "either `post"),
        ("rotate-key: {post: /x}", "needs `key`"),
        ('revoke-key: {post: /x, body: {a: "${cap_usd}"}}', "below `provision` only"),
    ],
)
def test_an_action_that_cannot_be_meant_is_refused_with_its_line(actions: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"t\.yaml:5") as caught:
        actor(tmp_path, actions)
    assert told in str(caught.value)


@pytest.mark.parametrize(("does", "told"), [
    ("tell-alert-rules", {"a.yml": "groups: []"}), ("tell-key-ages", {"n": 1}), ("restore", {}),
])  # fmt: skip
def test_only_what_an_action_is_there_to_tell_is_told(does: str, told: dict[str, object], tmp_path: Path) -> None:
    said = json.dumps({"a.yml": "groups: []", "n": 1})
    command = json.dumps([sys.executable, "-c", f"print({said!r})"])
    acting, _, _ = actor(tmp_path, f"{does}: {{command: {command}}}")
    done = acting.act(Action(check_id="c", name="n", at_ns=0, does=does))
    assert done.told == {"exit_code": 0, **told}


def test_a_description_offers_the_actions_and_paths_that_it_names_and_the_key_of_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(
        HEAD + 'instances: [{name: a, base_url: "http://127.0.0.1:1", ready: /ready}]\nactions: {back-up: {post: /backup}}\n'
    )
    offer = ExternalTarget(read_description(file)).offer()
    assert offer.capabilities == {"actions.back-up", "instances", "ready"}
    assert offer.missing["actions.rotate-key"] == "actions.rotate-key"
    assert offer.missing["live"] == "instances[].live"


def test_a_check_that_a_stranger_cannot_be_put_to_is_not_applicable_with_the_missing_key(tmp_path: Path) -> None:
    from harness.checks import PLANNERS
    from harness.scenario import compile_plan, read_scenario

    file = tmp_path / "t.yaml"
    file.write_text(HEAD + "rate_limit_per_minute: 10\n")
    scenario = tmp_path / "s.yaml"
    scenario.write_text(
        "name: s\ntitle: S\nload:\n  arrivals: {process: constant, rate: 10/s}\n  mix: {faq: 100%}\n"
        "phases:\n  - {name: steady, kind: steady, for: 30s}\nobjectives:\n  - {error rate: '< 50%'}\n"
        "checks:\n  - {check: key rotation, during: steady}\n  - {check: time limits, during: steady}\n"
    )
    offer = ExternalTarget(read_description(file)).offer()
    plan = compile_plan(read_scenario(scenario), offer, run_id="r", seed=1, planners=PLANNERS)
    rotation, limits = plan.checks
    assert rotation.not_offered == "the target's description has no `actions.rotate-key`, `instances`"
    assert limits.not_offered is None
    assert (plan.probes, plan.actions) == ((), ())
