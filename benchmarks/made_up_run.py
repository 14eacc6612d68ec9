"""A closed run directory of as many samples as one likes, made up in bounded memory, for benchmarks that read one.

An hour of even arrivals, lognormal answers, a call for each, one in a hundred an error, one fault, one load worker with its
line a second. No load is sent anywhere. The digests of its manifest are right, and by its own verdict the run passes.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.model.fault import Fault
from harness.model.histogram import bucket_of
from harness.model.journal import Event
from harness.model.live import LiveLine
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
DARK_S = (1800, 2700)
AT_ONCE = 1 << 20
"""Rows that are held at once, and in a row group: as many as a run writes."""


def plan_of(samples: int) -> Plan:
    """Return a plan of an hour: warm-up, steady, fault, recovery."""
    fault = Fault(id="f", at="provider.primary", kind="timeout", phase="fault", apply_ns=DARK_S[0] * S, clear_ns=DARK_S[1] * S)
    phases = tuple(
        Phase(name=kind.value, kind=kind, start_ns=start * S, end_ns=end * S)
        for kind, start, end in zip(KINDS, EDGES_S, EDGES_S[1:], strict=False)
    )
    judged = ("steady", "fault", "recovery")
    ratio, duration = Kind.RATIO, Kind.DURATION
    objectives = (
        Objective(id="latency-p95", kind=ratio, quantity=Quantity.LATENCY, op="<=", limit=0.05, written="p95 < 5s",
                  threshold_ns=5 * S, permille=950, during=judged),
        Objective(id="ttft-p95", kind=ratio, quantity=Quantity.TTFT, op="<=", limit=0.05, written="p95 < 2s", threshold_ns=2 * S,
                  permille=950, during=judged),
        Objective(id="error-rate", kind=ratio, quantity=Quantity.ERROR_SHARE, op="<=", limit=0.05, written="< 5%", during=judged),
        Objective(id="fallback", kind=ratio, quantity=Quantity.FALLBACK_SHARE, op=">=", limit=0.95, written="> 95%",
                  during=("fault",)),
        Objective(id="recovered", kind=duration, quantity=Quantity.RECOVERY, op="<=", limit=10.0 * S, written="10s",
                  after="fault"),
        Objective(id="spend", kind=Kind.BUDGET, quantity=Quantity.SPEND, op="<=", limit=0.0012 * samples,
                  written="<= 1.2 x planned"),
    )  # fmt: skip
    segment = ArrivalSegment(process=ArrivalProcess.POISSON, start_ns=0, end_ns=3600 * S, rate_rps=samples / 3600)
    mix = (UserClass(name="knowledge", weight_ratio=1.0, prompts=("x",)),)
    return Plan(
        run_id=f"made-up-{samples}", created_at="2026-01-01T00:00:00+00:00", harness_version="0", seed=1, phases=phases,
        objectives=objectives, scenario=ScenarioReference(name="made-up", title="An hour made up", path="", digest=""),
        target=TargetReference(kind="embedded", name="made-up", version="1"),
        load=LoadPlan(segments=(segment,), mix=mix, streamed_ratio=0.5, principals=1, request_timeout_ns=10 * S, drain_ns=S),
        faults=(fault,),
        clock=Clock(zero_monotonic_ns=0, zero_wall_ns=1_767_225_600 * S), planned_requests=samples,
        planned_cost_usd=0.001 * samples,
    )  # fmt: skip


def write_run(path: Path, samples: int) -> RunDirectory:
    """Write a closed run directory of so many samples, with one call for each. Holds a million rows at once."""
    run = RunDirectory.create(path)
    run.write_plan(plan_of(samples))
    for event, at_s in ((Event.RUN_STARTED, 0), (Event.LOAD_STARTED, 0), (Event.LOAD_ENDED, 3600), (Event.RUN_ENDED, 3610)):
        run.record(event, at_ns=at_s * S)
    for event, at_s in ((Event.FAULT_REQUESTED, DARK_S[0]), (Event.FAULT_CONFIRMED, DARK_S[0]), (Event.FAULT_CLEARED, DARK_S[1]),
                        (Event.FAULT_PROVED_CLEAR, DARK_S[1])):  # fmt: skip
        run.record(event, "f", at_ns=at_s * S)
    run.record(Event.FAULT_ACTED, "f", at_ns=DARK_S[1] * S, by="proxy", count=9)
    run.live_path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in _live(samples)))
    calls_path = run.path / "truth" / "calls.parquet"
    for each in (run.samples_path, calls_path):
        each.parent.mkdir(parents=True, exist_ok=True)
    with (
        pq.ParquetWriter(run.samples_path, SAMPLES_SCHEMA, compression="zstd") as kept,
        pq.ParquetWriter(calls_path, CALLS_SCHEMA, compression="zstd") as calls,
    ):
        random = np.random.default_rng(1)
        for low in range(0, samples, AT_ONCE):
            rows, of_provider = _part(low, min(low + AT_ONCE, samples), samples, random)
            kept.write_table(rows)
            calls.write_table(of_provider)
    run.write_manifest()
    return run


def _part(low: int, high: int, samples: int, random: np.random.Generator) -> tuple[pa.Table, pa.Table]:
    count = high - low
    hour = 3600 * S
    intended = np.sort(random.integers(low * hour // samples, high * hour // samples, count))
    took = np.minimum(random.lognormal(np.log(0.5), 0.6, count) * S, 9 * S).astype(np.int64)
    dark = (intended >= DARK_S[0] * S) & (intended < DARK_S[1] * S)
    failed = random.random(count) < 0.01
    seq = pa.array(np.arange(low, high))
    ids = pc.binary_join_element_wise("made-up", pc.cast(seq, pa.string()), "-")
    source = np.where(dark, "secondary", "primary")
    whole = {"started_ns": intended + 200_000, "first_byte_ns": intended + took // 3, "first_content_ns": intended + took // 3,
             "last_content_ns": intended + took - 1000, "ended_ns": intended + took, "gap_p95_ns": took // 50,
             "gap_max_ns": took // 20, "chunks": np.full(count, 20), "pool_wait_ns": np.zeros(count, np.int64)}  # fmt: skip
    columns = {
        "seq": seq, "streamed": pa.array(np.arange(low, high) % 2 == 0), "intended_ns": pa.array(intended),
        "result": pa.array(np.where(failed, "error", "answered")), "status_code": pa.array(np.where(failed, 502, 200)),
        "error_kind": pa.array(np.full(count, "status"), mask=~failed), "worker": pa.array(np.zeros(count, np.int16)),
        "source": pa.array(source, mask=failed), "request_id": ids, "metered_cost_usd": pa.array(np.full(count, 0.001)),
        "metered_fallback": pa.array(dark, mask=failed), "prompt_tokens": pa.array(np.full(count, 90)),
        "completion_tokens": pa.array(np.full(count, 40)),
        "call_ids": pa.ListArray.from_arrays(pa.array(np.arange(count + 1, dtype=np.int32)), ids),
    }  # fmt: skip
    columns |= {name: pa.array(values) for name, values in whole.items()}
    fixed = {"user_class": "knowledge", "principal": "user-0000", "model": "sim-large", "phase": "steady", "cache": "miss"}
    columns |= {name: _always(value, count) for name, value in fixed.items()}
    calls = {
        "call_id": ids, "endpoint": pa.array(source), "model": columns["model"], "streamed": columns["streamed"],
        "request_id": ids, "received_ns": pa.array(intended + 400_000), "ended_ns": columns["ended_ns"],
        "chunks": columns["chunks"], "prompt_tokens": columns["prompt_tokens"], "completion_tokens": columns["completion_tokens"],
        "cost_usd": columns["metered_cost_usd"], "ended": _always("completed", count),
    }  # fmt: skip
    return _table(columns, SAMPLES_SCHEMA, count), _table(calls, CALLS_SCHEMA, count)


def _live(samples: int) -> Iterator[LiveLine]:
    each = samples // 3600
    soon, late = bucket_of(300_000), bucket_of(500_000_000)
    for second in range(1, 3601):
        yield LiveLine(
            worker=0, t_ns=second * S, phase="steady", intended=each, sent=each, ended=each, in_flight=1,
            results={"answered": each}, sources={"primary": each}, latency={late: each},
            dispatch_lag={soon: each}, loop_lag={soon: 100}, cpu_ratio=0.4,
        )  # fmt: skip


def _always(value: str, count: int) -> pa.Array:
    return pa.array([value]).take(pa.array(np.zeros(count, np.int64)))


def _table(columns: dict[str, pa.Array], schema: pa.Schema, rows: int) -> pa.Table:
    arrays = [columns[f.name].cast(f.type) if f.name in columns else pa.nulls(rows, f.type) for f in schema]
    return pa.table(arrays, schema=schema)
