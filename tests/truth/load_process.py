"""A load worker as a process, driven as the conductor drives it, and servers for it to meet."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from forge import popen

from harness.model.plan import (
    ArrivalProcess,
    ArrivalSegment,
    Burst,
    LoadPlan,
    Phase,
    PhaseKind,
    Plan,
    ScenarioReference,
    TargetReference,
    UserClass,
)
from harness.model.signals import Signals
from harness.rundir import RunDirectory

S = 1_000_000_000
MIX = (
    UserClass(name="faq", weight_ratio=0.4, prompts=("What is {n}?", "Why {n}?"), model="sim-small"),
    UserClass(name="knowledge", weight_ratio=0.6, prompts=("Tell me about {n}.",), model="sim-small", max_tokens=50),
)


def plan_for(
    *,
    seconds: float = 2,
    rate_rps: float = 50,
    process: ArrivalProcess = ArrivalProcess.POISSON,
    streamed_ratio: float = 0.5,
    timeout_s: float = 5,
    drain_s: float = 5,
    bursts: tuple[Burst, ...] = (),
    signals: Signals | None = None,
) -> Plan:
    end_ns = round(seconds * S)
    return Plan(
        run_id="run-0001-abcd1234",
        created_at="",
        harness_version="0",
        scenario=ScenarioReference(name="x", title="x", path="x.yaml", digest=""),
        target=TargetReference(kind="external", name="x"),
        seed=7,
        phases=(
            Phase(name="first", kind=PhaseKind.STEADY, start_ns=0, end_ns=end_ns // 2),
            Phase(name="second", kind=PhaseKind.STEADY, start_ns=end_ns // 2, end_ns=end_ns),
        ),
        load=LoadPlan(
            segments=(ArrivalSegment(process=process, start_ns=0, end_ns=end_ns, rate_rps=rate_rps),),
            mix=MIX,
            streamed_ratio=streamed_ratio,
            principals=10,
            request_timeout_ns=round(timeout_s * S),
            drain_ns=round(drain_s * S),
            bursts=bursts,
        ),
        faults=(),
        objectives=(),
        signals=signals or Signals(),
    )


@dataclass
class WorkerProcess:
    """One worker. zero_ns: the common start, once it was told to go."""

    process: "subprocess.Popen[bytes]"
    directory: RunDirectory
    zero_ns: int = 0

    def assign(self, base_url: str, *, worker: int = 0, workers: int = 1) -> None:
        keys = {f"user-{number:04d}": f"key-{number}" for number in range(10)} | {"capped": "key-capped"}
        self.tell(
            {"run_directory": str(self.directory.path), "base_url": base_url, "keys": keys, "worker": worker, "workers": workers}
        )

    def go(self, in_s: float = 0.2) -> None:
        self.zero_ns = time.monotonic_ns() + round(in_s * S)
        self.tell({"zero_monotonic_ns": self.zero_ns})

    def tell(self, order: Mapping[str, object]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()

    def event(self) -> dict[str, object] | None:
        """Return the next event; None where the process said no more."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def close_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def complaint(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()

    def samples(self) -> list[dict[str, object]]:
        return self.directory.streamed_samples().to_pylist()

    def table(self) -> pa.Table:
        return self.directory.streamed_samples()


@contextlib.contextmanager
def worker(path: Path, plan: Plan, *, start: "Callable[..., subprocess.Popen[bytes]]" = popen) -> Iterator[WorkerProcess]:
    """Start a worker on a run directory of its own; it is gone at the end. start: `subprocess.Popen` for no forge's child."""
    directory = RunDirectory.create(path)
    directory.write_plan(plan)
    with start(
        [sys.executable, "-m", "harness.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            yield WorkerProcess(process, directory)
        finally:
            process.kill()


def run_to_end(path: Path, plan: Plan, base_url: str) -> WorkerProcess:
    """Run a worker from its assignment to its last event; it must end well."""
    with worker(path, plan) as process:
        process.assign(base_url)
        assert process.event() == {"event": "ready"}, process.complaint()
        process.go()
        ended = process.event()
        assert ended is not None, process.complaint()
        assert ended["event"] == "ended"
        assert process.process.wait(5) == 0
        assert process.complaint() == ""
        return process
