"""What the engine measures beside what the server itself recorded: the tail at 400 a second, and under freezes.

    python benchmarks/load_truth.py [SECONDS]

Two lines: p99 of the service time at 400/s with lognormal times; p95 of the response time at 100/s while the server is
stopped for 2 s in every 10 (truth: the server's own end of each answer, less the moment at which it was intended).
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import load_rate
import numpy as np

from harness.rundir import RunDirectory

S = 1_000_000_000


def freeze(pid: int, until: float) -> None:
    """Stop a process for 2 s in every 10."""
    while time.monotonic() + 8 < until:
        time.sleep(6)
        os.kill(pid, signal.SIGSTOP)
        time.sleep(2)
        os.kill(pid, signal.SIGCONT)
        time.sleep(2)


K6 = """
import http from 'k6/http';
export const options = {{
  scenarios: {{ open: {{ executor: 'constant-arrival-rate', rate: {rate}, timeUnit: '1s', duration: '{seconds}s',
    preAllocatedVUs: 300, maxVUs: 2000 }} }}, summaryTrendStats: ['p(95)', 'p(99)'],
}};
export default function () {{
  const headers = {{ 'content-type': 'application/json', authorization: 'Bearer k' }};
  http.post('{url}', '{body}', {{ headers: headers, timeout: '20s' }});
}}
"""
BODY = '{"model":"sim-small","messages":[{"role":"user","content":"What is 7?"}]}'


def of_k6(program: str, rate_rps: float, seconds: float, *, frozen: bool) -> tuple[float, float]:
    """Return what k6's arrival-rate executor says, and the provider's own figure of the same run: p95 if frozen, else p99."""
    provider, port, control = started_provider()
    try:
        with tempfile.TemporaryDirectory() as place:
            script, summary = Path(place) / "open.js", Path(place) / "summary.json"
            url = f"http://127.0.0.1:{port}/v1/chat/completions"
            script.write_text(K6.format(rate=round(rate_rps), seconds=round(seconds), url=url, body=BODY))
            if frozen:
                threading.Thread(target=freeze, args=(provider.pid, time.monotonic() + seconds + 3), daemon=True).start()
            subprocess.run([program, "run", "--quiet", "--summary-export", summary, script], check=True, capture_output=True)
            durations = json.loads(summary.read_text())["metrics"]["http_req_duration"]
        with urllib.request.urlopen(f"http://{control}/calls", timeout=20) as answer:
            calls = json.load(answer)
    finally:
        provider.kill()
        provider.wait()
    if not frozen:
        return float(durations["p(99)"]), float(np.percentile([c["ended_ns"] - c["received_ns"] for c in calls], 99) / 1e6)
    # When each was meant is k6's secret: its arrivals are evenly spaced, so its k-th call was meant k periods after the first.
    received = sorted(call["received_ns"] for call in calls)
    ends = [call["ended_ns"] for call in sorted(calls, key=lambda call: call["received_ns"])]
    meant = [received[0] + round(number * S / rate_rps) for number in range(len(received))]
    true = [end - at for end, at in zip(ends, meant, strict=True)]
    return float(durations["p(95)"]), float(np.percentile(true, 95) / 1e6)


def started_provider() -> "tuple[subprocess.Popen[bytes], int, str]":
    """Return a provider of its own, its port and its control's address."""
    provider = subprocess.Popen([sys.executable, "-m", "harness.provider"], stdout=subprocess.PIPE)
    assert provider.stdout is not None
    ready = json.loads(provider.stdout.readline())
    return provider, int(ready["endpoints"]["primary"].rsplit(":", 1)[1]), str(ready["control"])


def compare(rate_rps: float, seconds: float, *, frozen: bool) -> tuple[float, float]:
    """Return the measured and the true percentile in milliseconds: p95 of responses where frozen, else p99 of service."""
    provider, port, control = started_provider()
    try:
        with tempfile.TemporaryDirectory() as place:
            directory = RunDirectory.create(Path(place) / "run")
            plan = load_rate.plan(rate_rps, seconds)
            directory.write_plan(replace(plan, load=replace(plan.load, request_timeout_ns=20 * S, drain_ns=10 * S)))
            if frozen:
                threading.Thread(target=freeze, args=(provider.pid, time.monotonic() + seconds + 3), daemon=True).start()
            zero_ns = load_rate.run(directory, port)
            rows = directory.streamed_samples().select(["request_id", "intended_ns", "started_ns", "ended_ns"]).to_pylist()
        with urllib.request.urlopen(f"http://{control}/calls", timeout=20) as answer:
            calls = {call["request_id"]: call for call in json.load(answer)}
    finally:
        provider.kill()
        provider.wait()
    joined = [(row, calls[row["request_id"]]) for row in rows if row["request_id"] in calls and row["ended_ns"] is not None]
    if len(joined) < len(rows):
        print(f"not joined: {len(rows) - len(joined)} of {len(rows)}")
    if frozen:
        found = [row["ended_ns"] - row["intended_ns"] for row, _ in joined]
        true = [call["ended_ns"] - zero_ns - row["intended_ns"] for row, call in joined]
        percent = 95
    else:
        found = [row["ended_ns"] - row["started_ns"] for row, _ in joined]
        true = [call["ended_ns"] - call["received_ns"] for _, call in joined]
        percent = 99
    return float(np.percentile(found, percent) / 1e6), float(np.percentile(true, percent) / 1e6)


def main() -> None:
    """Print both comparisons."""
    seconds = min(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0, 30.0)
    found, true = compare(400, seconds, frozen=False)
    print(f"p99 at 400/s, lognormal: measured {found:.2f} ms, truth {true:.2f} ms, error {found - true:+.2f} ms (goal 0.5)")
    found, true = compare(100, seconds, frozen=True)
    error = 100 * (found / true - 1)
    print(f"p95 with 2 s frozen in 10: measured {found:.1f} ms, truth {true:.1f} ms, error {error:+.2f} % (goal 1)")


if __name__ == "__main__":
    main()
