"""How long a run of many samples takes to a verdict, and how much memory: `python benchmarks/judge_samples.py 1000000`.

Prints seconds, samples per second and the highest resident memory, for closing, measuring and judging. The run is made
up here: Poisson-like arrivals over an hour, lognormal answers, one fault; no load is sent anywhere.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from harness.judge import judge
from harness.measure import measure
from harness.model.fault import Fault
from harness.model.journal import Event
from harness.model.objective import Kind, Objective, Quantity
from harness.model.plan import (
    ArrivalProcess,
    ArrivalSegment,
    Clock,
    LoadPlan,
    Phase,
    PhaseKind,
    Plan,
    ScenarioReference,
    TargetReference,
    UserClass,
)
from harness.rundir import RunDirectory
from harness.rundir.schemas import CALLS_SCHEMA, SAMPLES_SCHEMA

S = 1_000_000_000
EDGES_S = (0, 600, 1800, 2700, 3600)
KINDS = (PhaseKind.WARMUP, PhaseKind.STEADY, PhaseKind.FAULT, PhaseKind.RECOVERY)


def plan_of(samples: int) -> Plan:
    """Return a plan of an hour: warm-up, steady, fault, recovery."""
    phases = tuple(
        Phase(name=kind.value, kind=kind, start_ns=start * S, end_ns=end * S)
        for kind, start, end in zip(KINDS, EDGES_S, EDGES_S[1:], strict=False)
    )
    judged = ("steady", "fault", "recovery")
    ratio = Kind.RATIO
    duration = Kind.DURATION
    objectives = (
        Objective(id="latency-p95", kind=ratio, quantity=Quantity.LATENCY, op="<=", limit=0.05, written="", threshold_ns=5 * S,
                  permille=950, during=judged),
        Objective(id="error-rate", kind=ratio, quantity=Quantity.ERROR_SHARE, op="<=", limit=0.05, written="", during=judged),
        Objective(id="fallback", kind=ratio, quantity=Quantity.FALLBACK_SHARE, op=">=", limit=0.95, written="",
                  during=("fault",)),
        Objective(id="recovered", kind=duration, quantity=Quantity.RECOVERY, op="<=", limit=10.0 * S, written="", after="fault"),
    )  # fmt: skip
    segment = ArrivalSegment(process=ArrivalProcess.POISSON, start_ns=0, end_ns=3600 * S, rate_rps=samples / 3600)
    mix = (UserClass(name="knowledge", weight_ratio=1.0, prompts=("x",)),)
    return Plan(
        run_id="benchmark", created_at="", harness_version="0", seed=1, phases=phases, objectives=objectives,
        scenario=ScenarioReference(name="benchmark", title="", path="", digest=""),
        target=TargetReference(kind="embedded", name="benchmark"),
        load=LoadPlan(segments=(segment,), mix=mix, streamed_ratio=0.5, principals=1, request_timeout_ns=10 * S, drain_ns=S),
        faults=(Fault(id="f", at="provider.primary", kind="timeout", phase="fault", apply_ns=1800 * S, clear_ns=2700 * S),),
        clock=Clock(zero_monotonic_ns=0, zero_wall_ns=0), planned_requests=samples,
    )  # fmt: skip


def write_run(path: Path, samples: int) -> RunDirectory:
    """Write a closed run directory of so many samples, with one call for each."""
    run = RunDirectory.create(path)
    run.write_plan(plan_of(samples))
    for event in (Event.RUN_STARTED, Event.LOAD_STARTED, Event.LOAD_ENDED, Event.RUN_ENDED):
        run.record(event, at_ns=0)
    for event, at_s in ((Event.FAULT_REQUESTED, 1800), (Event.FAULT_CONFIRMED, 1800), (Event.FAULT_CLEARED, 2700),
                        (Event.FAULT_PROVED_CLEAR, 2700)):  # fmt: skip
        run.record(event, "f", at_ns=at_s * S)
    run.record(Event.FAULT_ACTED, "f", at_ns=2700 * S, by="proxy", count=9)
    random = np.random.default_rng(1)
    intended = np.sort(random.integers(0, 3600 * S, samples))
    took = np.minimum(random.lognormal(np.log(0.5), 0.6, samples) * S, 9 * S).astype(np.int64)
    dark = (intended >= 1800 * S) & (intended < 2700 * S)
    failed = random.random(samples) < 0.01
    fixed = {"user_class": "knowledge", "principal": "user-0000", "model": "sim-large", "phase": "steady", "cache": "miss"}
    columns = {
        "seq": pa.array(np.arange(samples)), "streamed": pa.array(np.arange(samples) % 2 == 0), "intended_ns": pa.array(intended),
        "started_ns": pa.array(intended + 200_000), "pool_wait_ns": pa.array(np.zeros(samples, np.int64)),
        "first_content_ns": pa.array(intended + took // 3), "ended_ns": pa.array(intended + took),
        "result": pa.array(np.where(failed, "error", "answered")), "status_code": pa.array(np.where(failed, 502, 200)),
        "source": pa.array(np.where(dark, "secondary", "primary"), mask=failed), "worker": pa.array(np.zeros(samples, np.int16)),
        "request_id": pa.array([f"benchmark-{n}" for n in range(samples)]),
        "metered_cost_usd": pa.array(np.full(samples, 0.001)), "metered_fallback": pa.array(dark, mask=failed),
    }  # fmt: skip
    columns |= {name: pa.array([value]).take(pa.array(np.zeros(samples, np.int64))) for name, value in fixed.items()}
    run.write_samples(_table(columns, SAMPLES_SCHEMA, samples))
    calls = {
        "call_id": columns["request_id"], "endpoint": pa.array(np.where(dark, "secondary", "primary")),
        "model": columns["model"], "streamed": columns["streamed"], "request_id": columns["request_id"],
        "received_ns": pa.array(intended + 400_000), "ended_ns": columns["ended_ns"], "chunks": pa.array(np.full(samples, 9)),
        "prompt_tokens": pa.array(np.full(samples, 9)), "completion_tokens": pa.array(np.full(samples, 9)),
        "cost_usd": pa.array(np.full(samples, 0.001)),
        "ended": pa.array(["completed"]).take(pa.array(np.zeros(samples, np.int64))),
    }  # fmt: skip
    run.write_calls(_table(calls, CALLS_SCHEMA, samples))
    run.write_manifest()
    return run


def _table(columns: dict[str, pa.Array], schema: pa.Schema, rows: int) -> pa.Table:
    arrays = [columns[f.name].cast(f.type) if f.name in columns else pa.nulls(rows, f.type) for f in schema]
    return pa.table(arrays, schema=schema)


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
