"""Deploys as faults: under load, seen by a client of the balancer, and gone after clearing without a lost request."""

import itertools
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from harness.errors import FaultError
from harness.faults import FaultInjector
from harness.model.fault import Fault
from harness.model.journal import Event
from harness.model.target import Needs
from harness.target.embedded import EmbeddedTarget
from harness.target.embedded.running import RunningEmbedded


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[RunningEmbedded]:
    target = EmbeddedTarget(service_settings={"SERVICE_RATE_LIMIT": "100000"}, state_directory=tmp_path_factory.mktemp("state"))
    with tempfile.TemporaryDirectory() as logs:
        running = target.start(Needs(principals=1), Path(logs))
        yield running
        running.stop()


class Journal:
    def __init__(self) -> None:
        self.entries: list[tuple[Event, dict]] = []

    def record(self, event: Event, subject: str, /, **data) -> None:
        self.entries.append((event, data))

    def acted(self) -> int | None:
        return next(data["count"] for event, data in reversed(self.entries) if event is Event.FAULT_ACTED)


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def injector(stack, journal) -> Iterator[FaultInjector]:
    injector = FaultInjector(stack.landscape, journal.record)
    yield injector
    assert injector.clear_all() == []
    assert injector.ended_on_purpose() == frozenset()
    assert stack.died() == []


def fault(kind: str, **parameters) -> Fault:
    return Fault(id=f"f-{kind}", at="deploys.service", kind=kind, phase="p", apply_ns=0, clear_ns=1, parameters=parameters)


@dataclass
class Users:
    """Two users who ask one question after the other, each on a connection of its own. answers: (version, instance)."""

    stack: RunningEmbedded
    answers: list[tuple[str, str]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Users":
        self._threads = [threading.Thread(target=self._ask, args=(number,), daemon=True) for number in range(2)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(15)

    def since(self, count: int, more: int = 6, within_s: float = 20) -> list[tuple[str, str]]:
        """Return the answers after the first `count`, once there are some more that began after now."""
        wanted, deadline = len(self.answers) + more, time.monotonic() + within_s
        while len(self.answers) < wanted:
            assert time.monotonic() < deadline, f"no answers any more: {self.lost[:3]}"
            time.sleep(0.02)
        return self.answers[count:]

    def _ask(self, number: int) -> None:
        key = next(iter(self.stack.keys.values()))
        with httpx.Client(base_url=self.stack.base_url, timeout=15, trust_env=False) as client:
            for turn in itertools.count():
                if self._ended.is_set():
                    return
                body = {"model": "auto", "messages": [{"role": "user", "content": f"question {turn} of user {number}"}]}
                body["stream"] = turn % 2 == 1
                try:
                    answer = client.post("/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {key}"})
                except httpx.HTTPError as error:
                    self.lost.append(repr(error))
                    continue
                if answer.status_code != 200 or (body["stream"] and "[DONE]" not in answer.text):
                    self.lost.append(f"{answer.headers.get('x-gateway-version')}: {answer.status_code} {answer.text[-60:]}")
                named = answer.headers.get("x-gateway-version", "none"), answer.headers.get("x-gateway-instance", "none")
                self.answers.append(named)


def test_a_rolling_restart_replaces_every_instance_and_loses_no_request(stack, injector, journal):
    before = {name: stack.landscape.processes[name].pid for name in ("service-a", "service-b")}
    with Users(stack) as users:
        users.since(0)
        injector.apply(fault("rolling_restart", pause=0))
        deadline = time.monotonic() + 20
        while [pid for pid in before.values() if Path(f"/proc/{pid}").exists()]:
            assert time.monotonic() < deadline, "one of before still runs"
            time.sleep(0.05)
        assert {"service-a", "service-b"} <= injector.ended_on_purpose()
        injector.clear("f-rolling_restart")
        users.since(len(users.answers), more=12)
    after = {name: stack.landscape.processes[name].pid for name in ("service-a", "service-b")}
    assert not set(before.values()) & set(after.values())
    assert {instance for _, instance in users.answers[-10:]} == {"a", "b"}
    assert users.lost == []
    assert journal.acted() == 2


def test_a_switch_to_another_version_and_back_loses_no_request(stack, injector, journal):
    with Users(stack) as users:
        (present,) = {version for version, _ in users.since(0)}
        injector.apply(fault("blue_green", version="7.7.7"))
        count = len(users.answers) + 2  # the two that were under way
        assert set(users.since(count, more=8)) == {("7.7.7", "service-other")}
        injector.clear("f-blue_green")
        count = len(users.answers) + 2
        assert {version for version, _ in users.since(count, more=8)} == {present}
    assert users.lost == []
    assert journal.acted() >= 6, "all but the two that were under way when it was told to end"


def test_a_bad_canary_is_met_by_its_share_of_the_requests_only(stack, injector, journal):
    with Users(stack) as users:
        injector.apply(fault("canary", share=0.4, version="bad", defect="done-missing"))
        seen = [version for version, _ in users.since(len(users.answers), more=40, within_s=60)]
        assert 0.1 < seen.count("bad") / len(seen) < 0.75
        injector.clear("f-canary")
        count = len(users.answers) + 2
        assert "bad" not in {version for version, _ in users.since(count, more=8)}
    assert users.lost, "the defect was met"
    assert [lost for lost in users.lost if not lost.startswith("bad: 200")] == []
    assert journal.acted() >= seen.count("bad") - 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (fault("canary", defect="no-such"), "SERVICE_DEFECT=no-such is not a planted defect"),
        (fault("canary", share=0), "share is 0; use a number within 0.01..1"),
    ],
)
def test_a_version_that_cannot_be_is_a_clear_error_and_nothing_stays(stack, injector, given, words):
    with pytest.raises(FaultError, match=words):
        injector.apply(given)
    assert injector.active() == ()
    assert stack.landscape.rollout.percent() == 0
    assert httpx.get(f"{stack.base_url}/ready", trust_env=False).status_code == 200
