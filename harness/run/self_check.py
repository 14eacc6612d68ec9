"""What rate can this machine carry? The engine against a target that answers at once, for two seconds."""

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness import __version__
from harness.errors import LoadError
from harness.model.assignment import Assignment
from harness.model.histogram import merge, quantile_ns
from harness.model.plan import (
    ArrivalProcess,
    ArrivalSegment,
    LoadPlan,
    Phase,
    PhaseKind,
    Plan,
    ScenarioReference,
    TargetReference,
    UserClass,
)
from harness.model.units import NS_PER_MS, NS_PER_S
from harness.run.load_process import start_load
from harness.rundir import RunDirectory

SECONDS = 2
USERS = 50
HEADROOM = 0.5
"""An engine at its limit is late: half of what it can do in a closed loop, it can do on time beside the target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheck:
    """What one worker did. carries_rps: what it can be asked for with a worker a core; loop_lag_p99_ms: its loop's lateness."""

    reached_rps: float
    carries_rps: float
    loop_lag_p99_ms: float | None

    def sentence(self, planned_rps: float | None = None) -> str:
        """Return what was found, for people; planned_rps: the highest rate of the plan."""
        lag = "" if self.loop_lag_p99_ms is None else f", event loop lag p99 {self.loop_lag_p99_ms:.1f} ms"
        text = f"one load worker reaches {self.reached_rps:.0f}/s here and carries {self.carries_rps:.0f}/s on time{lag}"
        if planned_rps is not None and planned_rps > self.carries_rps:
            return f"WARNING: {text}; the plan asks for {planned_rps:.0f}/s: add --workers, or workers on other machines"
        return text


def self_check(workers: int = 1) -> SelfCheck:
    """Measure the engine. Takes about four seconds; leaves nothing. Raises LoadError."""
    with tempfile.TemporaryDirectory(prefix="harness-self-check-") as place, _instant() as port:
        directory = RunDirectory.create(Path(place) / "run")
        directory.write_plan(_plan())
        keys = {f"user-{number:04d}": "self-check" for number in range(USERS)}
        assignment = Assignment(run_directory=str(directory.path), base_url=f"http://127.0.0.1:{port}", keys=keys)
        load = start_load(assignment, directory.logs)
        try:
            load.wait_ready()
            load.go(time.monotonic_ns() + NS_PER_S // 20)
            deadline = time.monotonic() + SECONDS + 10
            while not load.ended():
                if time.monotonic() > deadline:
                    raise LoadError("the self-check did not end")
                time.sleep(0.05)
        finally:
            load.stop()
        lines = directory.live_lines()
    ended = sum(line.results.get("answered", 0) for line in lines)
    lag_ns = quantile_ns(merge(line.loop_lag for line in lines), 990)
    reached = ended / SECONDS
    return SelfCheck(
        reached_rps=reached,
        carries_rps=reached * HEADROOM * workers,
        loop_lag_p99_ms=None if lag_ns is None else lag_ns / NS_PER_MS,
    )


@contextlib.contextmanager
def _instant() -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "harness.load.instant"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise LoadError("the self-check's target did not start")
        yield int(line)
    finally:
        process.kill()
        process.communicate()


def _plan() -> Plan:
    end_ns = SECONDS * NS_PER_S
    return Plan(
        run_id="self-check",
        created_at="",
        harness_version=__version__,
        scenario=ScenarioReference(name="self-check", title="", path="", digest=""),
        target=TargetReference(kind="external", name="instant"),
        seed=1,
        phases=(Phase(name="steady", kind=PhaseKind.STEADY, start_ns=0, end_ns=end_ns),),
        load=LoadPlan(
            segments=(ArrivalSegment(process=ArrivalProcess.CLOSED, start_ns=0, end_ns=end_ns, rate_rps=0, users=USERS),),
            mix=(UserClass(name="faq", weight_ratio=1, prompts=("What is {n}?",)),),
            streamed_ratio=0,
            principals=USERS,
            request_timeout_ns=2 * NS_PER_S,
            drain_ns=NS_PER_S,
        ),
        faults=(),
        objectives=(),
    )
