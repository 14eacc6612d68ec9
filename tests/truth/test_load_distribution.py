"""Several workers: one schedule between them, on one machine and on two, and what becomes of a worker that dies."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from load_fleet import KEYS, fleet_run
from load_process import plan_for
from load_two_hosts import Host, needs_network_namespaces, two_hosts
from provider_under_test import running_provider
from test_load_worker import stub

from harness.arrivals import intended_ns
from harness.errors import ConfigurationError, LoadError
from harness.model.assignment import Assignment
from harness.run.load_process import Gathering, Load, LoadFleet, start_load
from harness.rundir import RunDirectory

HERE = Path(__file__).parent
TOKEN = "a-token-that-nobody-guesses"


def account(directory: RunDirectory) -> list[dict[str, object]]:
    return json.loads((directory.path / "metrics" / "load-workers.json").read_text())["workers"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_three_workers_send_one_schedule_and_the_provider_saw_each_request_once(tmp_path: Path) -> None:
    plan = plan_for(seconds=3, rate_rps=60)
    with running_provider() as provider:
        directory = fleet_run(tmp_path / "run", plan, f"http://{provider.endpoints['primary']}", workers=3)
        calls = provider.calls(at_least=len(intended_ns(plan.load.segments, plan.seed)))
    rows = directory.streamed_samples().to_pylist()
    assert [row["intended_ns"] for row in rows] == list(intended_ns(plan.load.segments, plan.seed))
    assert Counter(row["result"] for row in rows) == {"answered": len(rows)}
    assert all(row["worker"] == row["seq"] % 3 for row in rows)
    assert sorted(str(call["request_id"]) for call in calls) == sorted(row["request_id"] for row in rows)
    assert {line.worker for line in directory.live_lines()} == {0, 1, 2}
    assert sum(line.sent for line in directory.live_lines()) == len(rows)
    assert [(one["worker"], one["lost"]) for one in account(directory)] == [(0, False), (1, False), (2, False)]


def test_one_worker_and_four_ask_the_same_of_the_same_users_at_the_same_nanoseconds(tmp_path: Path) -> None:
    plan = plan_for(seconds=1, rate_rps=80)
    asked = ("seq", "intended_ns", "user_class", "principal", "streamed", "request_id", "phase")
    with stub("instant") as url:
        one, four = (fleet_run(tmp_path / str(n), plan, url, workers=n).streamed_samples() for n in (1, 4))
    assert one.select(asked).to_pylist() == four.select(asked).to_pylist()


def test_the_arrivals_of_a_worker_that_is_killed_are_rows_that_say_so(tmp_path: Path) -> None:
    plan = plan_for(seconds=4, rate_rps=100)
    killed = []

    def kill(load: Load, now_s: float) -> None:
        assert isinstance(load, LoadFleet)
        if now_s > 1.5 and not killed:
            killed.append(now_s)
            os.kill(load._workers[1].pid, signal.SIGKILL)

    said: list[str] = []
    with stub("instant") as url:
        directory = fleet_run(tmp_path / "run", plan, url, workers=2, meanwhile=kill, say=said.append)
    rows = directory.streamed_samples().to_pylist()
    assert [row["seq"] for row in rows] == list(range(len(intended_ns(plan.load.segments, plan.seed))))
    lost = [row for row in rows if row["error_kind"] == "worker_lost"]
    assert {(row["worker"], row["result"], row["started_ns"]) for row in lost} == {(1, "unsent", None)}
    assert all(row["intended_ns"] > (killed[0] - 1.2) * 1e9 for row in lost)  # at most its last second is not on the disk
    assert all(row["seq"] in {row["seq"] for row in lost} for row in rows if row["worker"] == 1 and row["intended_ns"] > 2e9)
    assert all(row["result"] == "answered" for row in rows if row["worker"] == 0)
    assert [one["lost"] for one in account(directory)] == [False, True]
    assert any("load worker 1" in text and "lost" in text for text in said)


@pytest.mark.usefixtures("load_by_python")
def test_told_to_stop_every_worker_closes_its_samples(tmp_path: Path) -> None:
    plan = plan_for(seconds=30, rate_rps=50)
    directory = RunDirectory.create(tmp_path / "run")
    directory.write_plan(plan)
    with stub("instant") as url:
        load = start_load(Assignment(run_directory=str(directory.path), base_url=url, keys=KEYS), directory.logs, workers=2)
        load.wait_ready()
        load.go(time.monotonic_ns())
        time.sleep(1.0)
        told = time.monotonic()
        load.stop()
        assert time.monotonic() - told < 4
    rows = directory.streamed_samples().to_pylist()
    assert len(rows) == len(intended_ns(plan.load.segments, plan.seed))
    assert {row["error_kind"] for row in rows} <= {None, "stopped", "too_late"}


def test_a_target_that_takes_no_connection_is_said_before_the_start_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="connect_refused"):
        fleet_run(tmp_path / "run", plan_for(seconds=1), f"http://127.0.0.1:{free_port()}", workers=2)


def test_workers_that_do_not_come_are_an_error_that_says_how_many_came(tmp_path: Path) -> None:
    gathering = Gathering(expect=2, max_wait_s=0.5, token=TOKEN)
    with stub("instant") as url, pytest.raises(LoadError, match="0 of 2 load workers came"):
        fleet_run(tmp_path / "run", plan_for(seconds=1), url, workers=1, gathering=gathering)


def test_locusts_page_can_be_watched_and_changes_nothing(tmp_path: Path) -> None:
    port = free_port()
    seen: dict[str, int] = {}

    def watch(load: Load, now_s: float) -> None:
        if now_s > 1 and not seen:
            with httpx.Client(trust_env=False, base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
                seen["/"] = client.get("/").status_code
                seen["/stats/requests"] = client.get("/stats/requests").status_code
                seen["stop"] = client.get("/stop").status_code
                seen["swarm"] = client.post("/swarm", data={"user_count": 5, "spawn_rate": 5}).status_code

    plan = plan_for(seconds=3, rate_rps=30)
    with stub("instant") as url:
        directory = fleet_run(tmp_path / "run", plan, url, workers=1, gathering=Gathering(web_port=port), meanwhile=watch)
    assert seen == {"/": 200, "/stats/requests": 200, "stop": 403, "swarm": 403}
    assert Counter(row["result"] for row in directory.streamed_samples().to_pylist()) == {
        "answered": len(intended_ns(plan.load.segments, plan.seed))
    }


# -- workers from elsewhere ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def comes(
    port: int | str, targets: Sequence[str], *, token: str = TOKEN, prefix: Sequence[str] = ()
) -> Iterator[subprocess.Popen[str]]:
    """A worker as a user starts it."""
    master = f"127.0.0.1:{port}" if isinstance(port, int) else port
    command = [*prefix, sys.executable, "-m", "harness", "worker", "--master", master, "--max-wait", "20s"]
    for target in targets:
        command += ["--target", target]
    environment = {**os.environ, "HARNESS_WORKER_TOKEN": token}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_worker_from_elsewhere_gets_all_it_needs_and_hands_over_every_row(tmp_path: Path) -> None:
    port = free_port()
    plan = plan_for(seconds=3, rate_rps=60)
    gathering = Gathering(expect=2, bind_port=port, max_wait_s=20, token=TOKEN)
    with stub("instant") as url, comes(port, [url]) as one, comes(port, ["http://127.0.0.1:*"]) as two:
        directory = fleet_run(tmp_path / "run", plan, url, workers=1, gathering=gathering)
        assert one.wait(10) == two.wait(10) == 0, (one.stderr.read(), two.stderr.read())
    rows = directory.streamed_samples().to_pylist()
    assert [row["intended_ns"] for row in rows] == list(intended_ns(plan.load.segments, plan.seed))
    assert Counter(row["result"] for row in rows) == {"answered": len(rows)}
    assert all(row["worker"] == row["seq"] % 2 for row in rows)
    lines = directory.live_lines()
    assert sum(line.sent for line in lines) == len(rows)
    assert {path.name for path in (directory.path / "exchanges").iterdir()} == {"worker-000.jsonl", "worker-001.jsonl"}
    for one_worker in account(directory):  # on one machine the truth is 0
        assert abs(one_worker["clock_offset_ns"]) <= one_worker["clock_uncertainty_ns"] < 50_000_000
    for path in directory.path.rglob("*"):
        assert not path.is_file() or b"key-3" not in path.read_bytes()


def refusals(tmp_path: Path, targets: Sequence[str], token: str) -> tuple[str, str]:
    """Return what the master's side and the worker said."""
    port = free_port()
    gathering = Gathering(expect=1, bind_port=port, max_wait_s=14, token=TOKEN)
    with stub("instant") as url, comes(port, [target.replace("URL", url) for target in targets], token=token) as worker:
        with pytest.raises(LoadError) as caught:
            fleet_run(tmp_path / "run", plan_for(seconds=1), url, workers=1, gathering=gathering)
        assert worker.stderr is not None
        assert worker.wait(15) in (2, 5)
        return str(caught.value), worker.stderr.read()


def test_a_worker_refuses_a_target_that_is_not_on_its_own_command_line(tmp_path: Path) -> None:
    master, worker = refusals(tmp_path, ["http://127.0.0.1:1"], TOKEN)
    assert "not on this worker's command line" in worker
    assert "not on this worker's command line" in master
    assert "Traceback" not in worker


def test_a_worker_with_another_token_is_not_let_in_and_learns_nothing(tmp_path: Path) -> None:
    master, worker = refusals(tmp_path, ["URL"], "another-token-altogether")
    assert "0 of 1" in master
    assert "token" in worker
    assert "key-" not in worker


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--master", "nonsense", "--target", "http://127.0.0.1:1"], "HOST:PORT"),
        (["--master", "127.0.0.1:1", "--target", "127.0.0.1"], "http://HOST:PORT"),
        (["--master", "127.0.0.1:1", "--target", "http://127.0.0.1:1", "--max-wait", "soon"], "duration"),
        (["--master", "127.0.0.1:1"], "--target"),
    ],
)
def test_a_worker_that_is_told_nonsense_says_so(arguments: list[str], complaint: str) -> None:
    environment = {**os.environ, "HARNESS_WORKER_TOKEN": TOKEN}
    ran = subprocess.run(
        [sys.executable, "-m", "harness", "worker", *arguments], capture_output=True, text=True, env=environment, check=False
    )
    assert ran.returncode == 2
    assert complaint in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_short_token_is_refused(tmp_path: Path) -> None:
    from harness.cli.distribution import gathering_of

    path = tmp_path / "token"
    path.write_text("short")
    with pytest.raises(ConfigurationError, match="at least 16"):
        gathering_of(1, "127.0.0.1:0", "5s", path, None)


# -- two hosts ----------------------------------------------------------------------------------------------------------


@pytest.mark.netns
def test_two_hosts_send_one_schedule_and_know_each_others_clock(tmp_path: Path) -> None:
    """The second host's clock is 5,000 s ahead by a time namespace: the truth that the estimate is held against."""
    needs_network_namespaces()
    ahead_ns = 5_000 * 10**9
    path = os.pathsep.join([str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "HARNESS_WORKER_TOKEN": TOKEN, "PYTHONPATH": path}
    with two_hosts() as (one, two):
        endpoint = f"{one.address}:8101"
        with provider_on(one, endpoint) as provider:
            lead = one.command(
                [
                    sys.executable,
                    str(HERE / "load_lead.py"),
                    str(tmp_path / "run"),
                    f"http://{endpoint}",
                    f"{one.address}:5557",
                    "2",
                    "3",
                    "80",
                ]
            )
            with (
                subprocess.Popen(lead, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as leader,
                comes(f"{one.address}:5557", [f"http://{endpoint}"], prefix=one.command([])) as near,
                comes(
                    f"{one.address}:5557",
                    [f"http://{endpoint}"],
                    prefix=two.command(
                        ["unshare", "-T", "--fork", "--kill-child", "--monotonic", "5000", "--boottime", "5000", "--"]
                    ),
                ) as far,
            ):
                out, complaint = leader.communicate(timeout=60)
                assert leader.returncode == 0, out + complaint + far.stderr.read() + near.stderr.read()
                assert near.wait(10) == far.wait(10) == 0
            calls = calls_of(one, provider)
    directory = RunDirectory.open(tmp_path / "run")
    rows = directory.streamed_samples().to_pylist()
    plan = directory.read_plan()
    assert [row["intended_ns"] for row in rows] == list(intended_ns(plan.load.segments, plan.seed))
    assert Counter(row["result"] for row in rows) == {"answered": len(rows)}
    assert sorted(str(call["request_id"]) for call in calls) == sorted(row["request_id"] for row in rows)
    by_truth = sorted(account(directory), key=lambda worker: worker["clock_offset_ns"])
    for worker, truth_ns in zip(by_truth, (0, ahead_ns), strict=True):
        assert abs(worker["clock_offset_ns"] - truth_ns) <= worker["clock_uncertainty_ns"] < 20_000_000
    # Both keep time: by the provider's own record, each request came after its intended moment and within half a second.
    received = {str(call["request_id"]): call["received_ns"] for call in calls}
    zero_ns = min(received[row["request_id"]] - row["started_ns"] for row in rows)
    for number in (0, 1):
        late = sorted(received[row["request_id"]] - zero_ns - row["intended_ns"] for row in rows if row["worker"] == number)
        assert late[0] >= -20_000_000
        assert late[len(late) // 2] < 100_000_000


@contextlib.contextmanager
def provider_on(host: Host, endpoint: str) -> Iterator[str]:
    """A provider on a host of its own; yields its control address."""
    command = host.command(
        [sys.executable, "-m", "harness.provider", "--endpoint", f"primary={endpoint}", "--control", "127.0.0.1:8102"]
    )
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, process.stderr.read() if process.stderr else ""
            yield json.loads(line)["control"]
        finally:
            process.kill()


def calls_of(host: Host, control: str) -> list[dict[str, object]]:
    code = f"import httpx; print(httpx.Client(trust_env=False).get('http://{control}/calls').text)"
    ran = subprocess.run(host.command([sys.executable, "-c", code]), capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)
