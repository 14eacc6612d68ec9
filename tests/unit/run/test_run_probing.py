"""Probes and actions of a run: what is really sent, what is kept of it, and that no key is."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from harness.errors import StackError
from harness.model.journal import Event
from harness.model.plan import (
    ArrivalProcess,
    ArrivalSegment,
    Clock,
    LoadPlan,
    Phase,
    PhaseKind,
    Plan,
    ScenarioReference,
    TargetReference,
)
from harness.model.probe import EVERY_INSTANCE, Action, ActionDone, Credential, Probe, ProbeRecord, Until
from harness.model.target import Instance
from harness.run.probing import Probing, await_idle
from harness.run.timeline import StepKind, steps_of
from harness.rundir import RunDirectory

KEY, NEW_KEY = "sk-the-key-of-alice-0001", "sk-the-new-key-of-alice"
S = 1_000_000_000


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["content-length"]))
        told = {"path": self.path, "key": self.headers["Authorization"], "extra": self.headers["x-extra"], "sent": sent.decode()}
        told["id"] = f"m{len(sent)}"
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815 - the base class names it so


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


class FakeActor:
    """Gives new keys, and cannot do anything else."""

    def act(self, action: Action) -> ActionDone:
        if action.does != "rotate-key":
            raise StackError(f"cannot {action.does} with {KEY}")
        return ActionDone(told={"old_keys": 1, "said": f"was {KEY}"}, new_key=NEW_KEY)

    def ended_on_purpose(self) -> frozenset[str]:
        return frozenset({"service-a"})


@dataclass
class FakeTarget:
    base_url: str
    keys: dict[str, str] = field(default_factory=lambda: {"alice": KEY})
    actor: FakeActor | None = field(default_factory=FakeActor)

    @property
    def instances(self) -> tuple[Instance, ...]:
        return (Instance(name="a", base_url=self.base_url, live="/alive"), Instance(name="b", base_url=self.base_url))


PLAN = Plan(
    run_id="run-1",
    created_at="2026-01-01T00:00:00Z",
    harness_version="0.1.0",
    scenario=ScenarioReference(name="s", title="S", path="s.yaml", digest="d" * 64),
    target=TargetReference(kind="embedded", name="t"),
    seed=1,
    phases=(Phase(name="steady", kind=PhaseKind.STEADY, start_ns=0, end_ns=10 * S),),
    load=LoadPlan(
        segments=(ArrivalSegment(process=ArrivalProcess.CONSTANT, start_ns=0, end_ns=10 * S, rate_rps=1.0),),
        mix=(),
        streamed_ratio=0.0,
        principals=1,
        request_timeout_ns=S,
        drain_ns=0,
    ),
    faults=(),
    objectives=(),
)


def done(tmp_path: Path, base_url: str, *steps: Probe | Action, actor: bool = True) -> tuple[list[ProbeRecord], RunDirectory]:
    probes = tuple(step for step in steps if isinstance(step, Probe))
    plan = replace(PLAN, probes=probes, clock=Clock(zero_monotonic_ns=time.monotonic_ns(), zero_wall_ns=0))
    run = RunDirectory.create(tmp_path / "run")
    run.write_plan(plan)
    assert plan.clock is not None
    target = FakeTarget(base_url, actor=FakeActor() if actor else None)
    probing = Probing(plan, run, target, plan.clock)  # type: ignore[arg-type]
    for step in steps:
        if isinstance(step, Probe):
            for number in range(step.count):
                probing.probe(step, step.at_ns + number * step.every_ns)
        else:
            probing.act(step)
    assert await_idle(probing, within_s=20, watch=lambda: None)
    probing.close(within_s=1)
    return run.probes(), run


def probe(name: str, **more: Any) -> Probe:
    plain = Probe(check_id="c", name=name, at_ns=0, principal="alice", path="/ask", body="hello", chat=False)
    return replace(plain, **more)


def test_a_probe_is_sent_with_the_key_and_kept_without_it(tmp_path: Path, base_url: str) -> None:
    (record,), run = done(tmp_path, base_url, probe("own", headers={"x-extra": "yes"}))
    said = json.loads(record.body)
    assert (record.status_code, record.result) == (200, "answered")
    assert (said["path"], said["extra"], said["sent"], said["key"]) == ("/ask", "yes", "hello", "Bearer ***")
    assert KEY not in run.probes_path.read_text()


@pytest.mark.parametrize(
    ("credential", "shown"), [(Credential.NONE, None), (Credential.WRONG, "wrong"), (Credential.TAMPERED, "tampered")]
)
def test_other_credentials_are_not_the_key(credential: Credential, shown: str | None, tmp_path: Path, base_url: str) -> None:
    (record,), _ = done(tmp_path, base_url, probe("other", credential=credential))
    sent = json.loads(record.body)["key"]
    if shown is None:
        assert sent is None
    else:
        key = sent.removeprefix("Bearer ")
        assert key != KEY
        assert key[:3] == KEY[:3]
        assert (key[:-4] == KEY[:-4]) is (credential is Credential.TAMPERED)


def test_a_later_probe_takes_a_value_of_an_earlier_answer(tmp_path: Path, base_url: str) -> None:
    records, _ = done(tmp_path, base_url, probe("first"), probe("second", path="/message/${first:$.id}", method="GET"))
    assert records[1].path == "/message/m5"


def test_what_cannot_be_sent_is_kept_with_its_reason_and_the_rest_goes_on(tmp_path: Path, base_url: str) -> None:
    records, _ = done(
        tmp_path, base_url, probe("early", path="/${later:$.id}"), probe("own"), probe("new", credential=Credential.NEW)
    )
    assert [record.status_code for record in records] == [None, 200, None]
    assert "has had no answer" in (records[0].problem or "")
    assert "new key" in (records[2].problem or "")


def test_each_instance_is_asked_by_its_own_path(tmp_path: Path, base_url: str) -> None:
    records, _ = done(tmp_path, base_url, probe("live", path="@live", method="GET", instance=EVERY_INSTANCE))
    by_name = {record.instance: record for record in records}
    assert by_name["a"].path == "/alive"
    assert "does not say where" in (by_name["b"].problem or "")


def test_repetitions_end_once_the_answer_is_there(tmp_path: Path, base_url: str) -> None:
    records, _ = done(tmp_path, base_url, probe("poll", count=5, until=Until(path="$.id", equals="m5")))
    assert len(records) == 1
    records, _ = done(tmp_path / "other", base_url, probe("poll", count=3, until=Until(path="$.id", equals="never")))
    assert [record.number for record in records] == [0, 1, 2]


def test_an_action_gives_a_new_key_that_is_shown_nowhere(tmp_path: Path, base_url: str) -> None:
    rotate = Action(check_id="c", name="rotate", at_ns=0, does="rotate-key", principal="alice")
    (record,), run = done(tmp_path, base_url, rotate, probe("new", credential=Credential.NEW))
    assert json.loads(record.body)["key"] == "Bearer ***"
    ended = next(entry for entry in run.journal() if entry.event is Event.ACTION_DONE)
    assert (ended.subject, ended.data["old_keys"], ended.data["said"]) == ("c/rotate", 1, "was ***")
    assert not any(KEY in path.read_text() or NEW_KEY in path.read_text() for path in run.path.rglob("*.json*"))


@pytest.mark.parametrize(("actor", "told"), [(True, "cannot fly"), (False, "nothing can be done")])
def test_an_action_that_fails_is_journalled_and_the_rest_goes_on(actor: bool, told: str, tmp_path: Path, base_url: str) -> None:
    fly = Action(check_id="c", name="fly", at_ns=0, does="fly")
    records, run = done(tmp_path, base_url, fly, probe("own"), actor=actor)
    failed = next(entry for entry in run.journal() if entry.event is Event.ACTION_FAILED)
    assert told in str(failed.data["reason"])
    assert KEY not in str(failed.data["reason"])
    assert records[0].status_code == 200


def test_a_target_that_is_gone_is_an_outcome(tmp_path: Path) -> None:
    (record,), _ = done(tmp_path, "http://127.0.0.1:9", probe("own"))
    assert (record.status_code, record.result) == (None, "error")


def test_steps_of_checks_follow_faults_and_each_repetition_is_one() -> None:
    action = Action(check_id="c", name="a", at_ns=2 * S, does="rotate-key")
    plan = replace(PLAN, probes=(probe("p", at_ns=2 * S, count=3, every_ns=S),), actions=(action,))
    found = [(step.kind, step.at_ns) for step in steps_of(plan)]
    assert found == [
        (StepKind.PHASE, 0),
        (StepKind.ACTION, 2 * S),
        (StepKind.PROBE, 2 * S),
        (StepKind.PROBE, 3 * S),
        (StepKind.PROBE, 4 * S),
    ]
