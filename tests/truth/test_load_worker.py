"""The worker against servers that do as they like: every intended request is a row, and every end is in good order."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from forge import popen
from load_process import MIX, S, plan_for, run_to_end, worker

from harness.arrivals import intended_ns
from harness.model.outcome import Refusal
from harness.model.plan import ArrivalProcess, Burst
from harness.model.signals import RefusalRule, Signals

STUB = [sys.executable, "-m", "load_stub"]


@contextlib.contextmanager
def stub(mode: str) -> Iterator[str]:
    with popen([*STUB, mode], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def test_every_arrival_goes_out_at_its_time_and_is_one_row(tmp_path: Path) -> None:
    plan = plan_for(rate_rps=100)
    with stub("instant") as url:
        process = run_to_end(tmp_path / "run", plan, url)
    rows = process.samples()
    assert [row["intended_ns"] for row in rows] == list(intended_ns(plan.load.segments, plan.seed))
    assert [row["seq"] for row in rows] == list(range(len(rows)))
    assert Counter(row["result"] for row in rows) == {"answered": len(rows)}
    assert {row["principal"] for row in rows} == {f"user-{number:04d}" for number in range(10)}
    assert {(row["user_class"], row["model"]) for row in rows} == {("faq", "sim-small"), ("knowledge", "sim-small")}
    assert {row["phase"] for row in rows if row["intended_ns"] < S} == {"first"}
    assert {row["phase"] for row in rows if row["intended_ns"] >= S} == {"second"}
    assert len({row["request_id"] for row in rows}) == len(rows)
    assert 0.3 < sum(row["streamed"] for row in rows) / len(rows) < 0.7
    for row in rows:
        assert row["intended_ns"] <= row["started_ns"] < row["first_byte_ns"] <= row["ended_ns"]
        assert row["pool_wait_ns"] <= row["started_ns"] - row["intended_ns"]
        assert (row["first_content_ns"] is not None) == row["streamed"]
        assert (row["exposed_to"], row["call_ids"], row["metered_cost_usd"]) == ([], [], None)


def test_live_lines_add_up_to_the_samples(tmp_path: Path) -> None:
    with stub("instant") as url:
        process = run_to_end(tmp_path / "run", plan_for(seconds=2.5), url)
    rows, lines = process.samples(), process.directory.live_lines()
    assert len(lines) == 3  # two whole seconds, and what was left
    assert sum(line.intended for line in lines) == sum(line.sent for line in lines) == len(rows)
    assert sum(sum(line.latency.values()) for line in lines) == sum(sum(line.results.values()) for line in lines) == len(rows)
    assert sum(sum(line.loop_lag.values()) for line in lines) > 100
    assert all(line.cpu_ratio > 0 for line in lines)
    assert [line.phase for line in lines] == ["first", "second", "second"]


def test_two_workers_send_each_arrival_once(tmp_path: Path) -> None:
    plan = plan_for(seconds=1, rate_rps=60)
    with stub("instant") as url, worker(tmp_path / "run", plan) as one:
        second = popen(one.process.args, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        two = type(one)(second, one.directory)
        try:
            for number, process in enumerate((one, two)):
                process.assign(url, worker=number, workers=2)
            assert one.event() == two.event() == {"event": "ready"}
            one.go()
            two.tell({"zero_monotonic_ns": one.zero_ns})
            assert one.process.wait(10) == two.process.wait(10) == 0
        finally:
            second.kill()
            second.communicate()
    rows = one.samples()
    assert [row["intended_ns"] for row in rows] == list(intended_ns(plan.load.segments, plan.seed))
    assert all(row["worker"] == row["seq"] % 2 for row in rows)


def test_a_slow_service_holds_nothing_back(tmp_path: Path) -> None:
    with stub("slow") as url:
        process = run_to_end(tmp_path / "run", plan_for(rate_rps=200, process=ArrivalProcess.CONSTANT, seconds=1), url)
    rows = process.samples()
    assert len(rows) == 200
    assert all(row["started_ns"] - row["intended_ns"] < 250_000_000 for row in rows)
    assert all(row["ended_ns"] - row["started_ns"] >= 300_000_000 for row in rows)


def test_a_burst_is_tagged_numbered_after_the_mix_and_its_budget_refusals_are_expected(tmp_path: Path) -> None:
    signals = Signals(refusals=((Refusal.BUDGET, RefusalRule(status=(402,))),))
    burst = Burst(check_id="cap", at_ns=S // 2, count=40, user_class=MIX[0], principal="capped")
    plan = plan_for(seconds=1, rate_rps=20, bursts=(burst,), signals=signals)
    with stub("budget") as url:
        rows = run_to_end(tmp_path / "run", plan, url).samples()
    mixed = len(intended_ns(plan.load.segments, plan.seed))
    of_burst = [row for row in rows if row["principal"] == "capped"]
    assert [row["seq"] for row in of_burst] == list(range(mixed, mixed + 40))
    assert {row["intended_ns"] for row in of_burst} == {S // 2}
    assert {(row["result"], row["refusal"]) for row in rows} == {("refused", "budget")}
    assert all(row["expected"] is (row["principal"] == "capped") for row in rows)


@pytest.mark.parametrize(
    ("mode", "results"),
    [("reset", {("error", "reset")}), ("garbage", {("malformed", "bad_http")}), ("close", {("answered", None)})],
)
def test_a_hostile_service_makes_rows_not_trouble(tmp_path: Path, mode: str, results: set[tuple[str, str | None]]) -> None:
    # Evenly: whoever asks in the moment in which a service closes without a word is told of a reset, and rightly.
    plan = plan_for(seconds=1, process=ArrivalProcess.CONSTANT)
    with stub(mode) as url:
        rows = run_to_end(tmp_path / "run", plan, url).samples()
    assert {(row["result"], row["error_kind"]) for row in rows} == results


def test_a_silent_service_is_a_timeout_within_its_limit(tmp_path: Path) -> None:
    with stub("silent") as url:
        rows = run_to_end(tmp_path / "run", plan_for(seconds=1, timeout_s=0.4), url).samples()
    assert {(row["result"], row["error_kind"]) for row in rows} == {("timeout", "first_byte_timeout")}
    assert all(400_000_000 <= row["ended_ns"] - row["started_ns"] + row["pool_wait_ns"] < 700_000_000 for row in rows)


def test_what_is_in_flight_when_the_drain_ends_is_cancelled(tmp_path: Path) -> None:
    with stub("silent") as url:
        rows = run_to_end(tmp_path / "run", plan_for(seconds=1, drain_s=0.3, timeout_s=60), url).samples()
    assert {(row["result"], row["error_kind"]) for row in rows} == {("cancelled", "drain_ended")}
    assert all(S * 1.3 <= row["ended_ns"] < S * 2 for row in rows)


def test_a_service_that_goes_away_is_refused_connections_that_count_as_begun(tmp_path: Path) -> None:
    gone = popen([*STUB, "close"], stdout=subprocess.PIPE)
    with gone, worker(tmp_path / "run", plan_for(seconds=2)) as process:
        assert gone.stdout is not None
        process.assign(f"http://127.0.0.1:{int(gone.stdout.readline())}")
        assert process.event() == {"event": "ready"}
        process.go(0)
        time.sleep(1)
        gone.kill()
        assert process.process.wait(15) == 0
    rows = process.samples()
    refused = [row for row in rows if row["error_kind"] == "connect_refused"]
    assert len(refused) > 20
    assert all(row["result"] == "error" and row["started_ns"] is not None for row in refused)


@pytest.mark.parametrize("how", ["eof", "sigterm"])
def test_told_to_stop_it_closes_its_samples_within_a_second(tmp_path: Path, how: str) -> None:
    plan = plan_for(seconds=60, rate_rps=50, timeout_s=60)
    with stub("silent") as url, worker(tmp_path / "run", plan) as process:
        process.assign(url)
        assert process.event() == {"event": "ready"}
        process.go(0)
        time.sleep(1.2)
        told = time.monotonic()
        if how == "eof":
            process.close_input()
        else:
            process.process.send_signal(signal.SIGTERM)
        ended = process.event()
        assert ended is not None
        assert ended["event"] == "ended"
        assert process.process.wait(5) == 0
        assert time.monotonic() - told < 1.0
    rows = process.samples()
    assert [row["intended_ns"] for row in rows] == list(intended_ns(plan.load.segments, plan.seed))
    assert {(row["result"], row["error_kind"]) for row in rows} <= {("cancelled", "stopped"), ("unsent", "too_late")}
    assert sum(row["started_ns"] is not None for row in rows) == ended["sent"] > 30


def test_a_kill_leaves_all_but_the_last_second_readable(tmp_path: Path) -> None:
    with stub("instant") as url, worker(tmp_path / "run", plan_for(seconds=30, rate_rps=100)) as process:
        process.assign(url)
        assert process.event() == {"event": "ready"}
        process.go(0)
        time.sleep(2.5)
        process.process.kill()
        process.process.wait()
    assert len(process.samples()) >= 150
    assert len(process.directory.live_lines()) == 2


def wait_until_it_takes_sigterm(pid: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        caught = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt"))
        if int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.02)
    raise AssertionError("it never took the signal")


@pytest.mark.parametrize("how", ["eof", "sigterm"])
@pytest.mark.parametrize("orders", [0, 1])
def test_the_end_before_the_start_is_quiet(tmp_path: Path, orders: int, how: str) -> None:
    plan = plan_for(seconds=1)
    start = subprocess.Popen if (orders, how) == (0, "sigterm") else popen
    with stub("instant") as url, worker(tmp_path / "run", plan, start=start) as process:
        if orders:
            process.assign(url)
            assert process.event() == {"event": "ready"}
        elif how == "sigterm":
            wait_until_it_takes_sigterm(process.process.pid)
        if how == "eof":
            process.close_input()
        else:
            process.process.send_signal(signal.SIGTERM)
        assert process.process.wait(5) == 0
        assert process.complaint() == ""
    assert {row["error_kind"] for row in process.samples()} == ({"stopped"} if orders else set())


def test_nothing_to_send_is_a_run_too(tmp_path: Path) -> None:
    with stub("instant") as url:
        process = run_to_end(tmp_path / "run", plan_for(seconds=1, rate_rps=0), url)
    assert process.samples() == []
    assert len(process.directory.live_lines()) == 2


@pytest.mark.parametrize("what", ["samples/worker-000.arrows", "live.jsonl"])
def test_a_full_disk_ends_it_with_a_clear_line(tmp_path: Path, what: str) -> None:
    with stub("instant") as url, worker(tmp_path / "run", plan_for(seconds=20)) as process:
        (process.directory.path / what).symlink_to("/dev/full")
        process.assign(url)
        if process.event() is not None:
            process.go(0)
        assert process.process.wait(8) == 5
        complaint = process.complaint()
    assert what in complaint
    assert "No space left" in complaint
    assert "Traceback" not in complaint


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        (None, "connect_refused"),
        ("http://192.0.2.1:80", "not on this machine"),
        ("ftp://127.0.0.1:1", "speaks http://"),
        ("http://127.0.0.1:1/base", "end after its port"),
        ("nonsense", "speaks http://"),
    ],
)
def test_a_target_that_cannot_be_is_refused_before_anything_is_written(tmp_path: Path, url: str | None, complaint: str) -> None:
    with worker(tmp_path / "run", plan_for()) as process:
        process.assign(url or f"http://127.0.0.1:{free_port()}")
        assert process.event() is None
        assert process.process.wait(5) == 5
        said = process.complaint()
    assert complaint in said
    assert "Traceback" not in said
    assert not list((process.directory.path / "samples").iterdir())


@pytest.mark.parametrize("line", [b"not json", b'{"run_directory": 5}', b"[]"])
def test_orders_that_make_no_sense_are_refused_without_being_repeated(tmp_path: Path, line: bytes) -> None:
    with worker(tmp_path / "run", plan_for()) as process:
        assert process.process.stdin is not None
        process.process.stdin.write(line + b"\n")
        process.process.stdin.flush()
        assert process.process.wait(5) == 5
        said = process.complaint()
    assert "line 1 of the standard input" in said
    assert "Traceback" not in said


def test_a_principal_without_a_key_is_named(tmp_path: Path) -> None:
    with stub("instant") as url, worker(tmp_path / "run", plan_for()) as process:
        process.tell({"run_directory": str(process.directory.path), "base_url": url, "keys": {"user-0000": "secret-key"}})
        assert process.process.wait(20) == 5
        said = process.complaint()
    assert "there is no key for user-0001" in said
    assert "secret-key" not in said


def test_keys_are_nowhere_in_the_run_directory(tmp_path: Path) -> None:
    with stub("instant") as url:
        process = run_to_end(tmp_path / "run", plan_for(seconds=1), url)
    for path in process.directory.path.rglob("*"):
        assert not path.is_file() or b"key-3" not in path.read_bytes()


def test_a_missing_run_directory_is_refused(tmp_path: Path) -> None:
    with worker(tmp_path / "run", plan_for()) as process:
        process.tell({"run_directory": str(tmp_path / "nowhere"), "base_url": "http://127.0.0.1:1", "keys": {}})
        assert process.process.wait(20) in (2, 5)
        assert "nowhere" in process.complaint()
