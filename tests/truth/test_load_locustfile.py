"""A user's locustfile runs unchanged, and each of its requests is a row with the clocks that can be had."""

import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from forge import popen, run
from load_process import WorkerProcess, worker
from load_visits import visiting
from provider_under_test import Provider, running_provider

from harness.model.plan import Plan
from harness.model.units import NS_PER_MS

EXAMPLE = Path(__file__).parents[2] / "examples/locustfile"
STUB = Path(__file__).with_name("load_stub.py")
Rows = list[dict[str, object]]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider("--endpoint", "primary=127.0.0.1:0", "--control", "127.0.0.1:0", "--seed", "1") as running:
        yield running


@pytest.fixture(scope="module")
def service(provider: Provider) -> Iterator[str]:
    """The example's service before the provider."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "MODEL_URL": f"http://{provider.endpoints['primary']}/v1"}
    process = subprocess.Popen([sys.executable, EXAMPLE / "service.py", str(port)], env=environment)
    try:
        deadline = time.monotonic() + 10
        while socket.socket().connect_ex(("127.0.0.1", port)) and time.monotonic() < deadline:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def visited(tmp_path: Path, plan: Plan, base_url: str) -> tuple[WorkerProcess, str]:
    """Run a worker to its end, which must be a good one; return it and what it said on its standard error."""
    with worker(tmp_path / "run", plan) as process:
        process.assign(base_url)
        assert process.event() == {"event": "ready"}, process.complaint()
        process.go()
        ended = process.event()
        assert ended is not None, process.complaint()
        assert process.process.wait(10) == 0
        return process, process.complaint()


def by_class(rows: Rows) -> dict[object, Rows]:
    found: dict[object, Rows] = defaultdict(list)
    for row in rows:
        found[row["user_class"]].append(row)
    return found


@pytest.fixture(scope="module")
def opened(service: str, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> tuple[Rows, dict[object, object], int]:
    """The example under open arrivals: its rows, the provider's calls by request id, the run's zero."""
    place = tmp_path_factory.mktemp("open")
    plan = visiting(place / "locustfile.py", (EXAMPLE / "locustfile.py").read_text(), seconds=4, rate_rps=12)
    ran, _ = visited(place, plan, service)
    rows = ran.samples()
    calls = {call["request_id"]: call for call in provider.calls()}
    return rows, calls, ran.zero_ns


def test_each_arrival_is_a_task_and_each_request_of_it_a_row(opened: tuple[Rows, dict[object, object], int]) -> None:
    rows = by_class(opened[0])
    assert {"story", "question", "follow-up", "health", "missing"} <= set(rows)
    assert len(rows["question"]) == len(rows["follow-up"])
    assert len(rows["health"]) == len(rows["missing"])
    assert sorted(row["seq"] for part in rows.values() for row in part) == list(range(len(opened[0])))


def test_the_first_request_of_a_task_has_the_arrival_s_clock_and_later_ones_their_own(
    opened: tuple[Rows, dict[object, object], int],
) -> None:
    rows = by_class(opened[0])
    first = rows["story"] + rows["question"] + rows["health"]
    assert all(row["intended_ns"] < row["started_ns"] for row in first)
    assert all(row["pool_wait_ns"] is not None for row in first)
    later = rows["follow-up"] + rows["missing"]
    assert all(row["intended_ns"] == row["started_ns"] for row in later)
    # Open arrivals: nobody waits for an answer of another, whose answers take half a second.
    lags = sorted(row["started_ns"] - row["intended_ns"] for row in first)
    assert lags[len(lags) // 2] < 150 * NS_PER_MS


def test_a_task_s_own_mark_counts_and_a_plain_answer_is_one(opened: tuple[Rows, dict[object, object], int]) -> None:
    rows = by_class(opened[0])
    assert {(row["status_code"], row["result"]) for row in rows["missing"]} == {(404, "answered")}
    assert {(row["status_code"], row["result"]) for row in rows["health"]} == {(200, "answered")}


def test_its_requests_are_joined_with_the_calls_that_they_caused_and_its_streams_are_timed(
    opened: tuple[Rows, dict[object, object], int],
) -> None:
    rows, calls, zero_ns = opened
    story = by_class(rows)["story"]
    assert {row["result"] for row in story} == {"answered"}
    assert {row["request_id"] for row in story} <= set(calls)
    for row in story:
        call = calls[row["request_id"]]
        assert row["streamed"]
        assert row["chunks"] == call["chunks"]
        # The service in between only adds: never earlier than the provider, and not by much as a rule.
        assert row["first_content_ns"] + zero_ns >= call["first_content_ns"]
        assert row["ended_ns"] + zero_ns >= call["last_content_ns"]
    late = [row["first_content_ns"] + zero_ns - calls[row["request_id"]]["first_content_ns"] for row in story]
    assert sorted(late)[len(late) // 2] < 50 * NS_PER_MS
    asked = by_class(rows)["question"]
    assert [row["completion_tokens"] for row in asked] == [calls[row["request_id"]]["completion_tokens"] for row in asked]
    assert all(row["first_content_ns"] is None and row["first_byte_ns"] is None for row in asked)  # not to be had


def test_in_a_closed_loop_users_wait_as_their_file_says(service: str, tmp_path: Path) -> None:
    text = "from locust import FastHttpUser, constant, task\nclass A(FastHttpUser):\n    wait_time = constant(0.5)\n    @task\n"
    text += "    def a(self):\n        self.client.get('/health')\n"
    rows = visited(tmp_path, visiting(tmp_path / "f.py", text, users=3, seconds=2.2), service)[0].samples()
    assert {row["result"] for row in rows} == {"answered"}
    assert 9 <= len(rows) <= 15  # 3 users, a request each 0.5 s and the time of an answer
    assert all(row["intended_ns"] == row["started_ns"] for row in rows)


BAD = """
from locust import FastHttpUser, HttpUser, constant_pacing, task
PORTS = {ports}
def every(user):
    kind = type(user).__name__
    def ask(port, name, **more):
        return user.client.post(f"http://127.0.0.1:{{PORTS[port]}}/", "{{}}", name=f"{{kind}} {{name}}", **more)
    for port in PORTS:
        ask(port, port, **user.more)
    with ask("instant", "marked", catch_response=True) as answer:
        answer.failure("not what was wanted")
    ask("instant", "unread", stream=True)
    ask("instant", "last")
    print('{{"event": "ended"}}')
    raise KeyError("choices")
class Slow(HttpUser):
    fixed_count = 1
    wait_time = constant_pacing(0.2)
    tasks = [every]
    more = {{"timeout": 0.4}}
class Fast(FastHttpUser):
    fixed_count = 1
    wait_time = constant_pacing(0.2)
    tasks = [every]
    network_timeout = 0.4
    more = {{}}
class Hangs(HttpUser):
    fixed_count = 1
    @task
    def hang(self):
        self.client.post(f"http://127.0.0.1:{{PORTS['silent']}}/", "{{}}", name="hangs")
"""
EXPECTED = {
    "instant": ("answered", None),
    "reset": ("error", "reset"),
    "garbage": ("malformed", "bad_http"),
    "silent": ("timeout", "first_byte_timeout"),
    "refused": ("error", "connect_refused"),
    "marked": ("malformed", "marked_failed"),
    "unread": ("cancelled", "left_unread"),
}


def test_whatever_a_target_does_to_either_client_is_an_outcome_with_its_kind(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        ports = {"refused": free.getsockname()[1]}
    stubs = [
        popen([sys.executable, "-m", "load_stub", mode], stdout=subprocess.PIPE, text=True)
        for mode in ("instant", "reset", "garbage", "silent")
    ]
    try:
        for stub, mode in zip(stubs, ("instant", "reset", "garbage", "silent"), strict=True):
            ports[mode] = int(stub.stdout.readline())
        plan = visiting(tmp_path / "f.py", BAD.format(ports=ports), users=3, seconds=2.5, timeout_s=1, drain_s=0.5)
        ran, said = visited(tmp_path, plan, f"http://127.0.0.1:{ports['instant']}")
    finally:
        for stub in stubs:
            stub.kill()
            stub.communicate()
    rows = by_class(ran.samples())
    for name, expected in EXPECTED.items():
        for kind in ("Slow", "Fast"):
            assert {(row["result"], row["error_kind"]) for row in rows[f"{kind} {name}"]} == {expected}, (kind, name)
    # What a task would have asked next is missing when it raised after all had gone well: a row that was never sent.
    # What hung for longer than the time limit has timed out, although its client would have waited for ever.
    rest = Counter((row["result"], row["error_kind"]) for row in rows["locustfile"])
    assert rest["unsent", "task_failed"] >= 2
    assert rest["timeout", "first_byte_timeout"] == 1
    assert said.count("KeyError: 'choices'") == 2  # once for each user class, not for each time


ON_THE_WAY = """
import socket
from locust import HttpUser, task
class A(HttpUser):
    @task
    def leaves(self):
        {leaves}
"""


@pytest.mark.parametrize(
    "leaves",
    ["self.client.get('http://192.0.2.7/')", "socket.create_connection(('192.0.2.7', 80), timeout=1)"],
)
def test_a_task_that_leaves_this_machine_ends_the_run_before_a_packet_is_sent(service: str, tmp_path: Path, leaves: str) -> None:
    plan = visiting(tmp_path / "f.py", ON_THE_WAY.format(leaves=leaves), seconds=5, rate_rps=5)
    with worker(tmp_path / "run", plan) as process:
        process.assign(service)
        assert process.event() == {"event": "ready"}
        process.go()
        assert process.process.wait(10) == 2
        said = process.complaint()
    assert "connects to 192.0.2.7, which is not on this machine" in said
    assert "--allow HOST" in said
    assert "answered" not in {row["result"] for row in process.samples()}


def test_what_is_wrong_with_a_file_is_told_before_a_run_with_its_line(service: str, tmp_path: Path) -> None:
    user = "from locust import HttpUser, task\nclass A(HttpUser):\n    {body}\n    @task\n    def a(self):\n        pass\n"
    raises = user.format(body="def on_start(self):\n        self.client.get('/health').json()['token']")
    with worker(tmp_path / "run", visiting(tmp_path / "f.py", raises, seconds=1)) as process:
        process.assign(service)
        assert process.event() is None
        assert process.process.wait(10) == 2
        assert "a user raised in its on_start: KeyError: 'token' (f.py:4)" in process.complaint()


def test_a_look_sends_nothing_and_says_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / "f.py"
    file.write_text("import urllib.request\nurllib.request.urlopen('http://192.0.2.7/')\n")
    looked = subprocess.run(
        [sys.executable, "-m", "harness.load", "look", file], capture_output=True, text=True, timeout=30, check=False
    )
    assert looked.returncode == 2
    assert "connects to 192.0.2.7" in looked.stderr
    file.write_text((EXAMPLE / "locustfile.py").read_text() + "print('hello')\n")
    looked = run([sys.executable, "-m", "harness.load", "look", file], timeout_s=30)
    assert looked.returncode == 0, looked.stderr
    assert [user["name"] for user in json.loads(looked.stdout)["users"]] == ["Reader", "Glancer"]
    assert "hello" in looked.stderr
