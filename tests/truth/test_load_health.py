"""A generator that is held up says so in every way that it is held up, and a healthy one in none: seen on a real worker."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from load_process import plan_for, worker
from load_visits import visiting

from harness.measure.close import close_samples
from harness.measure.instrument import health_of
from harness.measure.reading import read_run
from harness.model.judgement import InstrumentHealth
from harness.rundir import RunDirectory

STUB = Path(__file__).with_name("load_stub.py")

GREEDY = """
import gc, random, time
from locust import HttpUser, task
class Greedy(HttpUser):
    @task
    def ask(self):
        if random.random() < 0.25:
            until = time.perf_counter() + 0.1
            while time.perf_counter() < until:  # one collection is quick on some machines: as long a time on each
                gc.collect()
        self.client.post("/", "{}")
"""


def stub(mode: str) -> "tuple[subprocess.Popen[str], str]":
    process = subprocess.Popen([sys.executable, STUB, mode], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, f"http://127.0.0.1:{process.stdout.readline().strip()}"


def health(directory: RunDirectory) -> InstrumentHealth:
    close_samples(directory)
    reading = read_run(directory)
    return health_of(reading.plan, reading.requests, reading.live)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.alone
def test_a_healthy_worker_tells_its_figures_and_they_are_small(tmp_path: Path) -> None:
    server, url = stub("instant")
    try:
        with worker(tmp_path / "run", plan_for(seconds=3, rate_rps=40), start=subprocess.Popen) as process:
            process.assign(url)
            process.event()
            process.go()
            process.event()
            assert process.process.wait(10) == 0
    finally:
        server.kill()
        server.communicate()
    found = health(process.directory)
    assert found.canary_p95_ms is not None
    assert 0 < found.canary_p95_ms < 200
    assert found.gc_ratio is not None
    assert found.gc_ratio < 0.01
    assert found.files_ratio is not None
    assert 0 < found.files_ratio < 0.9
    assert found.achieved_ratio is not None
    assert not any("garbage collector" in problem or "descriptors" in problem for problem in found.problems)


@pytest.mark.alone
def test_a_worker_that_is_held_up_in_every_way_says_so_in_every_way(tmp_path: Path) -> None:
    server, url = stub("silent")
    plan = visiting(tmp_path / "f.py", GREEDY, seconds=5, rate_rps=20, timeout_s=60, drain_s=0.2)
    try:
        with worker(tmp_path / "run", plan, start=subprocess.Popen) as process:
            process.assign(url)
            process.event()
            # Descriptors that are left: fewer than there will be requests in flight at a server that never answers.
            resource.prlimit(process.process.pid, resource.RLIMIT_NOFILE, (60, 60))
            canary = next(
                pid for pid in children(process.process.pid) if b"listener" in Path(f"/proc/{pid}/cmdline").read_bytes()
            )
            os.kill(canary, signal.SIGSTOP)
            process.go()
            for moment, number in ((1.5, signal.SIGSTOP), (3.0, signal.SIGCONT)):
                threading.Timer(moment, os.kill, (process.process.pid, number)).start()
            process.event()
            assert process.process.wait(30) == 0
            deadline = time.monotonic() + 5
            while Path(f"/proc/{canary}").exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            assert not Path(f"/proc/{canary}").exists()
    finally:
        server.kill()
        server.communicate()
    found = health(process.directory)
    assert not found.valid
    said = "\n".join([*found.problems, f"{found.files_ratio=} {found.sent=}"])
    assert "of the arrivals left within" in said
    assert "had no answer within 5 s" in said
    assert "in its garbage collector" in said
    assert "file descriptors open" in said
    assert "event loop woke" in said
