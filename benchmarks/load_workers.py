"""What a request costs with one worker and with eight: CPU of all load workers, each at the same rate.

python benchmarks/load_workers.py [RATE A WORKER] [SECONDS]
"""

import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import load_rate

from harness.model.assignment import Assignment
from harness.run.load_process import start_load
from harness.rundir import RunDirectory

COUNTS = (1, 2, 4, 8)


def cost_us(workers: int, rate_rps: float, seconds: float, port: int) -> float:
    """Return microseconds of CPU a request."""
    with tempfile.TemporaryDirectory() as place:
        directory = RunDirectory.create(Path(place) / "run")
        plan = load_rate.plan(rate_rps * workers, seconds)
        directory.write_plan(replace(plan, load=replace(plan.load, workers=workers)))
        keys = {f"user-{number:04d}": "key" for number in range(10)}
        assignment = Assignment(run_directory=str(directory.path), base_url=f"http://127.0.0.1:{port}", keys=keys)
        load = start_load(assignment, directory.logs, workers=workers)
        try:
            load.wait_ready()
            load.go(time.monotonic_ns() + 300_000_000)
            deadline = time.monotonic() + seconds + 20
            while not load.ended() and time.monotonic() < deadline:
                time.sleep(0.1)
        finally:
            load.stop()
        requests = directory.streamed_samples().num_rows
        lines = directory.live_lines()
    cpu_s = 0.0
    for worker in range(workers):
        own = sorted((line for line in lines if line.worker == worker), key=lambda line: line.t_ns)
        starts = [0, *(line.t_ns for line in own)]
        cpu_s += sum(line.cpu_ratio * (line.t_ns - before) / 1e9 for line, before in zip(own, starts, strict=False))
    return cpu_s / max(requests, 1) * 1e6


def costs(rate_rps: float, seconds: float) -> dict[int, float]:
    """Return the cost by number of workers, all against one instant target."""
    with subprocess.Popen([sys.executable, load_rate.__file__, "serve"], stdout=subprocess.PIPE) as target:
        assert target.stdout is not None
        port = int(target.stdout.readline())
        try:
            return {workers: cost_us(workers, rate_rps, seconds, port) for workers in COUNTS}
        finally:
            target.kill()


def main() -> None:
    """Print the costs."""
    rate_rps = min(float(sys.argv[1]) if len(sys.argv) > 1 else 500.0, 1000.0)
    seconds = min(float(sys.argv[2]) if len(sys.argv) > 2 else 6.0, 20.0)
    found = costs(rate_rps, seconds)
    for workers, microseconds in found.items():
        print(f"{workers} worker(s): {microseconds:.1f} us of CPU a request, {microseconds / found[1]:.2f} of one worker's")


if __name__ == "__main__":
    main()
