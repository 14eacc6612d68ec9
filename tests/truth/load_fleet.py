"""Several load workers, driven as the conductor drives them."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from harness.model.assignment import Assignment
from harness.model.plan import Plan
from harness.run.load_process import Gathering, Load, start_load
from harness.rundir import RunDirectory

KEYS = {f"user-{number:04d}": f"key-{number}" for number in range(10)} | {"capped": "key-capped"}


def fleet_run(
    path: Path,
    plan: Plan,
    base_url: str,
    *,
    workers: int,
    gathering: Gathering | None = None,
    meanwhile: Callable[[Load, float], None] = lambda load, now_s: None,
    say: Callable[[str], None] = lambda _: None,
    keys: Mapping[str, str] = KEYS,
) -> RunDirectory:
    """Run a plan to its end; `meanwhile` is called all the time with the seconds since the zero."""
    directory = RunDirectory.create(path)
    directory.write_plan(plan)
    load = start_load(
        Assignment(run_directory=str(path), base_url=base_url, keys=keys),
        directory.logs,
        workers=workers,
        gathering=gathering,
        say=say,
    )
    try:
        load.wait_ready()
        zero_ns = time.monotonic_ns() + 400_000_000
        load.go(zero_ns)
        last_s = plan.end_ns / 1e9 + plan.load.drain_ns / 1e9 + 15
        while not load.ended():
            now_s = (time.monotonic_ns() - zero_ns) / 1e9
            assert now_s < last_s, "it never ended"
            meanwhile(load, now_s)
            time.sleep(0.02)
    finally:
        load.stop()
    return directory
