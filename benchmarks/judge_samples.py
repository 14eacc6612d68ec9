"""How long a run of many samples takes to a verdict, and how much memory: `python benchmarks/judge_samples.py 1000000`.

Prints seconds, samples per second and the highest resident memory, for measuring and judging. The run is made up
(`made_up_run.py`); no load is sent anywhere.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from made_up_run import write_run

from harness.judge import judge
from harness.measure import measure
from harness.rundir import RunDirectory


def main() -> None:
    """Make a run, and judge it in a process of its own."""
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if len(sys.argv) > 2:  # in a process of its own, so that memory is that of judging alone
        run = RunDirectory.open(Path(sys.argv[2]))
        steps: tuple[tuple[str, Callable[[RunDirectory], object]], ...] = (("measure", measure), ("judge", judge))
        for name, step in steps:
            start, cpu = time.perf_counter(), time.process_time()
            step(run)
            took_s, cpu_s = time.perf_counter() - start, time.process_time() - cpu
            peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{name:8} {took_s:6.2f} s ({cpu_s:.2f} s CPU)  {samples / took_s / 1e6:5.2f} M/s  peak {peak_mb:,.0f} MB")
        return
    import subprocess

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        write_run(path, samples)
        subprocess.run([sys.executable, __file__, str(samples), str(path)], check=True)


if __name__ == "__main__":
    main()
