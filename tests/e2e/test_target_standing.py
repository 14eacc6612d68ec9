"""One stack for several runs, one after the other: each finds it as new, and a stack that was damaged is replaced."""

import http.client
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.model.target import Needs
from harness.target.embedded.programs import HERE, WEBHOOK
from harness.target.embedded.running import RunningEmbedded
from harness.target.embedded.standing import StandingStack
from harness.target.supervise.procfs import Identity, is_alive, send, wait_gone

NEEDS = Needs(principals=2, seed=3)
SERVICE = ("service-a", "service-b", "worker")


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[StandingStack]:
    standing = StandingStack(logs=tmp_path / "stack-logs", state_directory=tmp_path / "state")
    yield standing
    standing.close()


def ask(running: RunningEmbedded, text: str, key: str | None = None) -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection(running.base_url.removeprefix("http://"), timeout=10)
    try:
        body = {"model": "sim-small", "messages": [{"role": "user", "content": text}], "max_tokens": 20}
        headers = {"content-type": "application/json", "authorization": f"Bearer {key or running.keys['user-0001']}"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        response = connection.getresponse()
        response.read()
        return response.status, {name.lower(): value for name, value in response.getheaders()}
    finally:
        connection.close()


def identities(running: RunningEmbedded, *names: str) -> list[Identity]:
    handles = running.landscape.processes
    return [Identity(pid=handles[name].pid, start_ticks=handles[name].start_ticks) for name in names]


def said_in(logs: Path) -> dict[str, str]:
    return {path.stem: path.read_text() for path in sorted(logs.glob("*.log"))}


def test_each_run_has_what_the_servers_said_in_its_time_and_nothing_is_written_there_afterwards(
    stack: StandingStack, tmp_path: Path
) -> None:
    first = stack.target({}).start(NEEDS, tmp_path / "first")
    before = Path(tmp_path / "stack-logs" / "redis.log").read_text()
    first.stop()
    told = said_in(tmp_path / "first")
    assert {"initdb", "provision", "service-a", "service-b", "worker", "postgres", "redis", "provider", "balancer"} <= set(told)
    assert "keeper" not in told
    assert told["redis"].startswith(before)

    second = stack.target({}).start(NEEDS, tmp_path / "second")
    send(identities(second, "redis")[0], signal.SIGKILL)
    wait_gone(identities(second, "redis"), within_s=5.0)
    assert second.start_again("redis").log == tmp_path / "stack-logs" / "redis.log"
    second.stop()
    renewed = said_in(tmp_path / "second")
    assert renewed["redis"].count("Server initialized") == 1  # what it said before is the first run's
    stack.close()
    assert said_in(tmp_path / "first") == told
    assert said_in(tmp_path / "second") == renewed
    assert (tmp_path / "stack-logs" / "redis.log").read_text().startswith(told["redis"] + renewed["redis"])


def test_each_run_finds_the_stack_as_new_and_only_the_service_started_anew(stack: StandingStack, tmp_path: Path) -> None:
    first = stack.target({WEBHOOK: HERE}).start(NEEDS, tmp_path / "first")
    assert [ask(first, "What are your opening hours on Sunday?")[0] for _ in range(10)] == [200] * 10
    assert ask(first, "One more than a minute allows")[0] == 429
    servers, service = identities(first, "postgres", "redis", "provider", "balancer"), identities(first, *SERVICE)
    old_key = first.keys["user-0001"]
    first.stop()
    first.stop()
    assert not any(map(is_alive, service))
    assert all(map(is_alive, servers))

    second = stack.target({"SERVICE_DEFECT": "fallback-missing", "SERVICE_UNDER_TEST": "yes"}).start(NEEDS, tmp_path / "second")
    assert stack.stacks_started == 1
    assert identities(second, "postgres", "redis", "provider", "balancer") == servers
    assert second.reference.version != first.reference.version  # a setting makes another version, whose attempts are its own
    assert ask(second, "Hello", old_key)[0] == 401
    status, headers = ask(second, "What are your opening hours on Sunday?")
    assert (status, headers["x-gateway-cache"].startswith("hit")) == (200, False)
    assert headers["x-gateway-version"] == second.reference.version
    assert second.died() == []  # nor does the end of the receiver, which this one has not, count as a death
    assert (tmp_path / "second" / "service-a.log").is_file()
    second.stop()

    send(identities(second, "redis")[0], signal.SIGKILL)
    wait_gone(identities(second, "redis"), within_s=5.0)
    third = stack.target({}).start(NEEDS, tmp_path / "third")
    assert stack.stacks_started == 2
    assert ask(third, "What are your opening hours on Sunday?")[0] == 200
    everyone = identities(third, *SERVICE, "postgres", "redis", "provider", "balancer")
    stack.close()
    assert not any(map(is_alive, everyone))
