"""How long a run of many samples takes to a verdict, and how much memory: `python benchmarks/judge_samples.py 10000000`.

Does what `harness judge` does before it draws the page: reads the run, writes its measurements, judges it. Prints seconds,
seconds of CPU, samples per second and the highest resident memory of each step and of all, and ends with 1 where ten
million samples take more than the 10 s and 1.5 GB that are promised. The run is made up (`made_up_run.py`) unless a second
argument names one; no load is sent anywhere.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from made_up_run import write_run

from harness.judge import judge
from harness.measure import read_run, write_measurements
from harness.rundir import RunDirectory

T = TypeVar("T")

PROMISED_S, PROMISED_MB, PROMISED_SAMPLES = 10.0, 1500.0, 10_000_000


def main() -> int:
    """Make a run, and judge it in a process of its own; 1 where a promise is broken."""
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if len(sys.argv) > 2:  # in a process of its own, so that memory is that of judging alone
        return _judge(RunDirectory.open(Path(sys.argv[2])), samples)
    import subprocess

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        write_run(path, samples)
        return subprocess.run([sys.executable, __file__, str(samples), str(path)], check=False).returncode


def _judge(run: RunDirectory, samples: int) -> int:
    began, began_cpu = time.perf_counter(), time.process_time()

    def told(name: str, since_s: float, since_cpu_s: float) -> tuple[float, float]:
        took_s, cpu_s = time.perf_counter() - since_s, time.process_time() - since_cpu_s
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        print(f"{name:8} {took_s:6.2f} s ({cpu_s:.2f} s CPU)  {samples / took_s / 1e6:5.2f} M/s  peak {peak_mb:,.0f} MB")
        return took_s, peak_mb

    def step(name: str, work: Callable[[], T]) -> T:
        start, cpu = time.perf_counter(), time.process_time()
        made = work()
        told(name, start, cpu)
        return made

    reading = step("read", lambda: read_run(run))
    step("measure", lambda: write_measurements(run, reading))
    step("judge", lambda: judge(run, reading))
    took_s, peak_mb = told("in all", began, began_cpu)
    return int(samples >= PROMISED_SAMPLES and (took_s > PROMISED_S or peak_mb > PROMISED_MB))


if __name__ == "__main__":
    sys.exit(main())
