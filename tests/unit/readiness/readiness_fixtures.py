"""Runs, checklists and histories made by hand for the rules of readiness."""

import datetime
from dataclasses import replace

from harness.model.judgement import InstrumentHealth, Judgement, Status
from harness.model.objective import Kind, Severity
from harness.model.readiness import Attestation, Checklist, ChecklistRow, ReleaseRun, Waiver
from harness.readiness import Case, History
from harness.readiness.history import HistoryLine

NOW = datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.UTC)
DIGEST = "ab" * 32


def judgement(id_: str = "latency-p95", status: Status = Status.PASS, phase: str | None = "outage") -> Judgement:
    return Judgement(id=id_, kind=Kind.RATIO, severity=Severity.GATE, status=status, phase=phase, reason=f"{id_} {status.value}")


def run(run_id: str = "run-1", *results: Judgement, **changes: object) -> ReleaseRun:
    made = ReleaseRun(
        run_id=run_id,
        directory=run_id,
        scenario="outage",
        scenario_digest=DIGEST,
        title="The provider goes dark",
        target="gateway",
        target_kind="embedded",
        target_version="1.4.0",
        started_at="2026-11-22T10:00:00+00:00",
        duration_s=95.0,
        verdict=Status.PASS,
        reason="pass: all passed",
        seed=1,
        spend_usd=0.5,
        harness_version="0.1.0",
        plan_digest="cd" * 32,
        manifest_digest="ef" * 32,
        repeat="harness run outage",
        instrument=InstrumentHealth(intended=10, sent=10, lag_p99_ms=1.0, loop_lag_p99_ms=1.0, cpu_ratio=0.1, valid=True),
        proves=True,
        fails=True,
        results=results or (judgement(),),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def row(id_: str = "F5", *proven_by: str, **changes: object) -> ChecklistRow:
    made = ChecklistRow(id=id_, title=f"Title of {id_}", proven_by=proven_by)
    return replace(made, **changes)  # type: ignore[arg-type]


def line(run_id: str, *statuses: Status, id_: str = "latency-p95", **changes: object) -> HistoryLine:
    made = HistoryLine(
        event="ended",
        run_id=run_id,
        at="2026-11-20T10:00:00.000+00:00",
        scenario="outage",
        scenario_digest=DIGEST,
        target="gateway",
        target_version="1.4.0",
        overridden=False,
        rehearsed=True,
        verdict=statuses[0] if statuses else None,
        results={id_: statuses} if statuses else {},
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def attestation(row_id: str = "P6", **changes: object) -> Attestation:
    made = Attestation(row=row_id, owner="Kim", date="2026-10-01", expires="2027-03-31", link="https://wiki.example/rota")
    return replace(made, **changes)  # type: ignore[arg-type]


def waiver(row_id: str = "S2", **changes: object) -> Waiver:
    made = Waiver(row=row_id, owner="Sam", date="2026-10-01", expires="2027-03-31", reason="lands in 1.5")
    return replace(made, **changes)  # type: ignore[arg-type]


def case(rows: list[ChecklistRow], runs: list[ReleaseRun] | None = None, **changes: object) -> Case:
    made = Case(
        release="1.4.0",
        checklist=Checklist(title="ours", rows=tuple(rows), path="ours.yaml", digest="00" * 32),
        runs=[run()] if runs is None else runs,
        now=NOW,
        harness_version="0.1.0",
        history=History(runs=(line("run-1", Status.PASS),), problems=(), digest=""),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def history(*lines: HistoryLine, problems: tuple[str, ...] = ()) -> History:
    return History(runs=lines, problems=problems, digest="")
