"""Run directories made by hand: what a run would have left behind, row by row, with nothing of the product's arithmetic.

The default run: warmup 0-2 s, steady 2-12 s, outage 12-22 s (provider.primary under `timeout`), recovery 22-32 s.
Load of 20/s; the fault is requested at 12.0 s, confirmed at 12.1, cleared at 22.0 and proved clear at 22.1.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from operator import attrgetter
from pathlib import Path

import msgspec
import pyarrow as pa

from harness.model.fault import Fault
from harness.model.journal import Event
from harness.model.live import LiveLine
from harness.model.objective import Kind, Objective, Quantity, Severity
from harness.model.outcome import Refusal, Result, Source
from harness.model.plan import (
    ArrivalProcess,
    ArrivalSegment,
    Burst,
    Clock,
    LoadPlan,
    Phase,
    PhaseKind,
    Plan,
    PlannedCheck,
    ScenarioReference,
    TargetReference,
    UserClass,
)
from harness.model.sample import Call, Sample
from harness.rundir import RunDirectory
from harness.rundir.schemas import CALLS_SCHEMA, SAMPLES_SCHEMA
from harness.rundir.tables import StreamWriter

S = 1_000_000_000
KNOWLEDGE = UserClass(name="knowledge", weight_ratio=1.0, prompts=("Explain {n}.",))
PHASES = (
    Phase(name="warmup", kind=PhaseKind.WARMUP, start_ns=0, end_ns=2 * S),
    Phase(name="steady", kind=PhaseKind.STEADY, start_ns=2 * S, end_ns=12 * S),
    Phase(name="outage", kind=PhaseKind.FAULT, start_ns=12 * S, end_ns=22 * S),
    Phase(name="recovery", kind=PhaseKind.RECOVERY, start_ns=22 * S, end_ns=32 * S),
)
JUDGED = ("steady", "outage", "recovery")
FAULT = Fault(id="f1", at="provider.primary", kind="timeout", phase="outage", apply_ns=12 * S, clear_ns=22 * S)


def latency(limit: float = 0.05, *, during: tuple[str, ...] = JUDGED, **more: object) -> Objective:
    return _objective("latency-p95", Kind.RATIO, Quantity.LATENCY, "<=", limit, during, threshold_ns=5 * S, permille=950, **more)


def ttft(limit: float = 0.05, *, during: tuple[str, ...] = JUDGED) -> Objective:
    return _objective("ttft-p95", Kind.RATIO, Quantity.TTFT, "<=", limit, during, threshold_ns=2 * S, permille=950)


def error_rate(limit: float = 0.05, *, during: tuple[str, ...] = JUDGED, **more: object) -> Objective:
    return _objective("error-rate", Kind.RATIO, Quantity.ERROR_SHARE, "<=", limit, during, **more)


def fallback(op: str, limit: float, phase: str) -> Objective:
    return _objective(f"fallback-share-{phase}", Kind.RATIO, Quantity.FALLBACK_SHARE, op, limit, (phase,))


def recovered(limit_s: float = 5.0) -> Objective:
    return _objective("recovered", Kind.DURATION, Quantity.RECOVERY, "<=", limit_s * S, (), after="outage")


def spend(limit_usd: float) -> Objective:
    return _objective("spend", Kind.BUDGET, Quantity.SPEND, "<=", limit_usd, ())


def _objective(
    id_: str, kind: Kind, quantity: Quantity, op: str, limit: float, during: tuple[str, ...], **more: object
) -> Objective:
    plain = Objective(id=id_, kind=kind, quantity=quantity, op=op, limit=limit, written=id_, during=during)
    return replace(plain, **more) if more else plain  # type: ignore[arg-type]


WARN = Severity.WARN


def sample(seq: int, at_s: float, took_s: float | None = 0.5, **more: object) -> Sample:
    """Return an answered, streamed request, sent on time, whose first token came after a quarter of the time."""
    intended = round(at_s * S)
    ended = None if took_s is None else intended + round(took_s * S)
    plain = Sample(
        seq=seq,
        user_class="knowledge",
        principal=f"user-{seq % 400:04d}",
        model="sim-large",
        streamed=True,
        conversation=None,
        turn=None,
        phase="",
        intended_ns=intended,
        started_ns=intended + 1_000_000,
        pool_wait_ns=0,
        first_byte_ns=None,
        first_content_ns=None if took_s is None else intended + round(took_s * S / 4),
        last_content_ns=ended,
        ended_ns=ended,
        gap_p95_ns=None,
        gap_max_ns=None,
        chunks=10,
        status_code=200,
        result=Result.ANSWERED,
        source=Source.PRIMARY,
        refusal=None,
        expected=None,
        error_kind=None,
        prompt_tokens=10,
        completion_tokens=10,
        claimed_cost_usd=0.001,
        claimed_fallback=None,
        cache="miss",
        request_id=f"req-{seq}",
        worker=0,
    )
    return replace(plain, **more) if more else plain  # type: ignore[arg-type]


def failed(row: Sample, result: Result = Result.ERROR, **more: object) -> Sample:
    """Return the same request, ended badly."""
    return replace(row, result=result, source=None, first_content_ns=None, status_code=502, **more)  # type: ignore[arg-type]


def unsent(row: Sample) -> Sample:
    return replace(
        row, result=Result.UNSENT, source=None, started_ns=None, ended_ns=None, first_content_ns=None, status_code=None
    )


def refused(row: Sample, refusal: Refusal, *, expected: bool = False, status: int = 402) -> Sample:
    return replace(
        row, result=Result.REFUSED, source=None, refusal=refusal, expected=expected, status_code=status, first_content_ns=None
    )


def call_of(row: Sample, *, cost_usd: float = 0.001, **more: object) -> Call:
    """Return the call that an answered request caused, at the endpoint that its source names."""
    assert row.started_ns is not None
    plain = Call(
        call_id=f"call-{row.seq}",
        endpoint="secondary" if row.source is Source.SECONDARY else "primary",
        model="sim-large",
        streamed=row.streamed,
        request_id=row.request_id,
        tag=None,
        key_fingerprint=None,
        received_ns=row.started_ns + 2_000_000,
        first_content_ns=row.first_content_ns,
        last_content_ns=row.last_content_ns,
        ended_ns=row.ended_ns,
        gap_p95_ns=None,
        gap_max_ns=None,
        chunks=10,
        status_code=200,
        prompt_tokens=10,
        completion_tokens=10,
        cost_usd=cost_usd,
        ended="completed",
        fault=None,
    )
    return replace(plain, **more) if more else plain  # type: ignore[arg-type]


def healthy_source(at_s: float) -> Source:
    """Return who answers in the default run: the second model from the fault to 0.9 s after it was proved clear."""
    return Source.SECONDARY if 12.0 <= at_s < 23.0 else Source.PRIMARY


def healthy_samples(rate: int = 20) -> list[Sample]:
    """Return a list of one's own; the rows, which nobody can change, are made once, because hundreds of tests want them."""
    return list(_healthy(rate))


@cache
def _healthy(rate: int) -> tuple[Sample, ...]:
    return tuple(sample(seq, at := seq / rate, source=healthy_source(at)) for seq in range(32 * rate))


FAULT_STEPS: Mapping[Event, float] = {
    Event.FAULT_REQUESTED: 12.0,
    Event.FAULT_CONFIRMED: 12.1,
    Event.FAULT_ACTED: 22.0,
    Event.FAULT_CLEARED: 22.0,
    Event.FAULT_PROVED_CLEAR: 22.1,
}


@dataclass(kw_only=True)
class RunBuilder:
    """What goes into the run directory; change a field, then `build`. calls None: the usual ones. files: by their place."""

    objectives: tuple[Objective, ...] = ()
    samples: list[Sample] = field(default_factory=healthy_samples)
    calls: list[Call] | None = None
    without_truth: bool = False
    faults: tuple[Fault, ...] = (FAULT,)
    steps: Mapping[Event, float] = field(default_factory=lambda: dict(FAULT_STEPS))
    acted: int = 100
    phases: tuple[Phase, ...] = PHASES
    checks: tuple[PlannedCheck, ...] = ()
    bursts: tuple[Burst, ...] = ()
    capped: Mapping[str, float] = field(default_factory=dict)
    target_kind: str = "embedded"
    events: tuple[Event, ...] = (Event.RUN_STARTED, Event.LOAD_STARTED, Event.LOAD_ENDED, Event.RUN_ENDED)
    live: list[LiveLine] | None = None
    closed: bool = True
    manifest: bool = True
    planned: int | None = None
    files: Mapping[str, str] = field(default_factory=dict)

    def plan(self) -> Plan:
        segment = ArrivalSegment(process=ArrivalProcess.CONSTANT, start_ns=0, end_ns=self.phases[-1].end_ns, rate_rps=20.0)
        return Plan(
            run_id="run-1",
            created_at="2026-01-01T00:00:00Z",
            harness_version="0.1.0",
            scenario=ScenarioReference(name="outage", title="Outage", path="outage.yaml", digest="d" * 64),
            target=TargetReference(kind=self.target_kind, name="t", version="v1"),
            seed=1,
            phases=self.phases,
            load=LoadPlan(
                segments=(segment,),
                mix=(KNOWLEDGE,),
                streamed_ratio=1.0,
                principals=400,
                request_timeout_ns=10 * S,
                drain_ns=5 * S,
                bursts=self.bursts,
            ),
            faults=self.faults,
            objectives=self.objectives,
            checks=self.checks,
            capped_principals=self.capped,
            planned_requests=len(self.samples) if self.planned is None else self.planned,
            planned_cost_usd=1.0,
            clock=Clock(zero_monotonic_ns=1_000 * S, zero_wall_ns=1_700_000_000 * S),
        )

    def build(self, path: Path) -> RunDirectory:
        from harness.measure import close_samples

        run = RunDirectory.create(path)
        run.write_plan(self.plan())
        for event in self.events:
            run.record(event, at_ns=0)
        for event, at_s in self.steps.items():
            data: dict[str, str | float] = {"by": "proxy", "count": self.acted} if event is Event.FAULT_ACTED else {}
            for fault in self.faults:
                run.record(event, fault.id, at_ns=round(at_s * S), **data)
        writer = StreamWriter(run.samples_stream_path(0), SAMPLES_SCHEMA)
        writer.write([_column(self.samples, f) for f in SAMPLES_SCHEMA])
        writer.close()
        if not self.without_truth:
            run.write_calls(calls_table(self.calls if self.calls is not None else list(self._usual_calls())))
        with run.live_path.open("wb") as file:
            for line in self.live if self.live is not None else calm_lines():
                file.write(msgspec.json.encode(line) + b"\n")
        for place, text in self.files.items():
            (run.path / place).write_text(text, encoding="utf-8")
        if self.closed:
            close_samples(run)
        if self.manifest:
            run.write_manifest()
        return run

    def _usual_calls(self) -> Iterator[Call]:
        return (call_of(s) for s in self.samples if s.source in (Source.PRIMARY, Source.SECONDARY))


def calls_table(calls: list[Call]) -> pa.Table:
    return pa.table([pa.array([getattr(call, f.name) for call in calls], type=f.type) for f in CALLS_SCHEMA], schema=CALLS_SCHEMA)


def calm_lines(*, loop_lag_ms: float = 1.0, cpu_ratio: float = 0.3) -> list[LiveLine]:
    from harness.model.histogram import bucket_of

    lag = {bucket_of(round(loop_lag_ms * 1e6)): 100}
    return [
        LiveLine(
            worker=0,
            t_ns=(second + 1) * S,
            phase="",
            intended=20,
            sent=20,
            ended=20,
            in_flight=0,
            results={},
            sources={},
            latency={},
            dispatch_lag={},
            loop_lag=lag,
            cpu_ratio=cpu_ratio,
        )
        for second in range(32)
    ]


def _column(rows: list[Sample], of: pa.Field) -> list[object]:
    values = list(map(attrgetter(of.name), rows))
    return [None if value is None else list(value) for value in values] if pa.types.is_list(of.type) else values
