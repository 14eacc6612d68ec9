"""Everything here needs a container engine: listed by name as not run where none answers, a failure where CI is true."""

import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from harness.faults.engine import Engine, EngineError
from harness.model.journal import Event
from harness.model.probe import MadePrincipal
from harness.model.target import Needs, RunningTarget
from harness.target.containers import ContainersTarget, label

HERE = Path(__file__).parent
LIBRARIAN = "librarian"
"""The one user of the stack who may change its knowledge."""
BUILD_S = 600
"""What any test here may take: whichever comes first builds the images, and that is as slow as the package index."""


def _missing() -> str | None:
    try:
        Engine.find()
    except EngineError as error:
        return error.message
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [item for item in items if str(item.path).startswith(f"{HERE}/")]  # of seven thousand: paths take their time
    for item in ours:
        item.add_marker(pytest.mark.container)
        item.add_marker(pytest.mark.timeout(BUILD_S))
    if ours and os.environ.get("CI") != "true" and (why := _missing()) is not None:
        for item in ours:
            item.add_marker(pytest.mark.skip(reason=why))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    names = [report.nodeid for report in skipped if report.nodeid.startswith("tests/container/")]
    if names:
        terminalreporter.section("not run: no container engine answers")
        for name in names:
            terminalreporter.line(f"NOT RUN {name}")


@pytest.fixture(scope="session")
def engine() -> Engine:
    try:
        return Engine.find()
    except EngineError as error:
        pytest.fail(f"CI is true and no container engine answers: {error}", pytrace=False)


class Steps:
    """Keeps what the injector records."""

    def __init__(self):
        self.seen = []

    def __call__(self, event, subject, /, **data):
        self.seen.append((event, data))

    def acted(self):
        return [data["count"] for event, data in self.seen if event is Event.FAULT_ACTED][-1]


@dataclass(slots=True)
class Traffic:
    """Six clients that send requests, each one after another, until stopped."""

    target: RunningTarget
    statuses: list[int] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Traffic":
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(6)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(10)

    def _run(self, client_number: int) -> None:
        keys = list(self.target.keys.values())
        with httpx.Client(base_url=self.target.base_url, timeout=6.0, trust_env=False) as client:
            for number in range(client_number, 10_000, 6):
                if self._ended.is_set():
                    return
                self.statuses.append(_status(client, keys[number % len(keys)], number))
                self._ended.wait(0.05)


def _status(client: httpx.Client, key: str, number: int) -> int:
    body = {"model": "auto", "messages": [{"role": "user", "content": f"Why does my invoice number {number} differ this month?"}]}
    try:
        return client.post("/v1/chat/completions", headers={"Authorization": f"Bearer {key}"}, json=body).status_code
    except httpx.HTTPError:
        return 0


@pytest.fixture(scope="session")
def stack(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTarget]:
    needs = Needs(principals=300, made=(MadePrincipal(name=LIBRARIAN, role="admin"),))
    running = ContainersTarget(say=lambda text: None).start(needs, tmp_path_factory.mktemp("run") / "logs")
    yield running
    running.stop()


def left_of(engine: Engine, chosen: Mapping[str, str]) -> list[str]:
    """Return the names of containers and networks that carry these labels."""
    import json

    query = {"filters": json.dumps({"label": [f"{name}={value}" for name, value in chosen.items()]})}
    containers = engine.ask("GET", "/containers/json", query=query | {"all": "1"})
    networks = engine.ask("GET", "/networks", query=query)
    return [found["Labels"].get(label.NAME, "?") for found in (*containers, *networks)]
