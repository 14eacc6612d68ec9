"""Whatever a server sends is an outcome with its kind, in bounded memory, and the requests beside it are undisturbed."""

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from load_process import WorkerProcess, plan_for, worker

from harness.model.plan import PlainRequest, Protocol, UserClass
from harness.model.units import NS_PER_S

EXPECTED = {
    "good": ("answered", None),
    "continue": ("answered", None),
    "no-content": ("malformed", "bad_json"),  # asked for JSON: nothing is none
    "utf-8": ("malformed", "bad_json"),
    "too-short": ("malformed", "bad_json"),  # what was said to be the body ends in the middle
    "too-long": ("malformed", "truncated"),
    "two-lengths": ("malformed", "bad_http"),
    "garbage": ("malformed", "bad_http"),
    "headers": ("malformed", "headers_too_large"),
    "header": ("malformed", "headers_too_large"),
    "huge": ("timeout", "body_timeout"),
    "endless": ("timeout", "body_timeout"),
}
MIX = tuple(
    UserClass(
        name=name,
        weight_ratio=1 / len(EXPECTED),
        prompts=("x",),
        timeout_ns=NS_PER_S,
        protocol=Protocol.MESSAGE,
        plain=PlainRequest(method="GET", path=f"/{name}"),
    )
    for name in EXPECTED
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WorkerProcess, int, int, str]]:
    """A worker beside that server, at its end: its memory before and after, in kB, and what it said."""
    server = subprocess.Popen([sys.executable, Path(__file__).with_name("load_hostile.py")], stdout=subprocess.PIPE, text=True)
    plan = plan_for(seconds=4, rate_rps=30, drain_s=10)
    plan = replace(plan, load=replace(plan.load, mix=MIX, streamed_ratio=0.0))
    try:
        with worker(tmp_path_factory.mktemp("hostile") / "run", plan) as process:
            process.assign(f"http://127.0.0.1:{server.stdout.readline().strip()}")
            assert process.event() == {"event": "ready"}
            before = peak_kb(process.process.pid)
            process.go()
            after = before
            while process.process.poll() is None:  # it has an end of its own
                after = max(after, peak_kb(process.process.pid))
                time.sleep(0.05)
            assert process.process.returncode == 0
            yield process, before, after, process.complaint()
    finally:
        server.kill()
        server.communicate()


def peak_kb(pid: int) -> int:
    """Return the most memory that this process has had, in kB; 0 of one that has ended and was not waited for."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def test_each_has_its_kind_and_nothing_is_said(ran: tuple[WorkerProcess, int, int, str]) -> None:
    found = defaultdict(set)
    for row in ran[0].samples():
        found[row["user_class"]].add((row["result"], row["error_kind"]))
    assert found == {name: {expected} for name, expected in EXPECTED.items()}
    assert ran[3] == ""


def test_memory_is_bounded_whatever_comes(ran: tuple[WorkerProcess, int, int, str]) -> None:
    _, before, after, _ = ran
    # Some ten bodies without end at a time, each kept to a MiB at most; what they sent is hundreds.
    assert after - before < 100_000


def test_the_others_are_undisturbed(ran: tuple[WorkerProcess, int, int, str]) -> None:
    good = sorted(row["ended_ns"] - row["started_ns"] for row in ran[0].samples() if row["user_class"] == "good")
    assert len(good) >= 4
    assert good[len(good) // 2] < NS_PER_S // 4
