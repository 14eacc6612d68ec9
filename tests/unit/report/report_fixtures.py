"""Run directories made by hand, as `harness.model.measurement` promises them: a healthy one, a failing one, a hostile one."""

import json
import math
import random
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from harness.model.fault import Acted, ActedBy, Fault, FaultRecord
from harness.model.journal import Event
from harness.model.judgement import (
    Evidence,
    InstrumentHealth,
    Judgement,
    Shown,
    Status,
    Test,
    Verdict,
    VerdictScenario,
    VerdictTarget,
)
from harness.model.measurement import PhaseSummary, Quantile, Recovery, Summary
from harness.model.objective import Kind, Objective, Quantity, Severity
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
from harness.rundir import RunDirectory, codec
from harness.rundir.files import write_whole

S = 1_000_000_000
PHASES = (("warmup", PhaseKind.WARMUP, 0, 5), ("steady", PhaseKind.STEADY, 5, 35), ("outage", PhaseKind.FAULT, 35, 65),
          ("recovery", PhaseKind.RECOVERY, 65, 95))  # fmt: skip

HOSTILE = (
    "<script>document.title='ran'</script>",
    "<img src=x onerror=\"document.title='ran'\">",
    "\"><svg onload=document.title='ran'>",
    "' onmouseover='document.title=1' x='",
    "</style><script>document.title='ran'</script>",
    "</title><script>document.title='ran'</script>",
    "javascript:document.title='ran'",
    "[click](https://evil.invalid/steal) https://evil.invalid/steal www.evil.invalid",
    "![pixel](https://evil.invalid/pixel.png) @everyone #1",
    '=HYPERLINK("https://evil.invalid","click")',
    "+1+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "-2+3",
    "safe\u202egnp.exe\u202c \u2066isolated\u2069 zero\u200bwidth \ufeffbom",
    "\x1b[31mred\x1b[0m \x1b]8;;https://evil.invalid\x07link\x1b]8;;\x07 \x9b2J",
    "line\r\none\ttwo\x00three\x08\x7f",
    "{{ 7 * 7 }} {% raw %} $\\frac{1}{2}$",
    "| a | b |\n| --- | --- |",
    "]]><evil/>&lt;&#60;&amp;",
    "\ud800 lone surrogate \ufffe",
    "url(https://evil.invalid/css) @import 'https://evil.invalid/css'",
    "```\n# heading\n```",
)


def make_plan(**changes: object) -> Plan:
    fault = Fault(id="outage-0", at="provider.primary", kind="timeout", phase="outage", apply_ns=35 * S, clear_ns=65 * S)
    plan = Plan(
        run_id="20260401-101500-provider-outage",
        created_at="2026-04-01T10:15:00.000+00:00",
        harness_version="0.1.0",
        scenario=ScenarioReference(
            name="provider-outage",
            title="The model provider goes dark; answers keep coming",
            path="scenarios/provider-outage.yaml",
            digest="9f" * 32,
            hypothesis="With the primary model unreachable, users get the second model within their deadline, "
            "and the primary again within 10 s of its return.",
        ),
        target=TargetReference(kind="embedded", name="reference service", version="0.1.0"),
        seed=1,
        phases=tuple(Phase(name=n, kind=k, start_ns=a * S, end_ns=b * S) for n, k, a, b in PHASES),
        load=LoadPlan(
            segments=(ArrivalSegment(process=ArrivalProcess.POISSON, start_ns=0, end_ns=95 * S, rate_rps=20.0),),
            mix=(UserClass(name="faq", weight_ratio=1.0, prompts=("How {n}?",)),),
            streamed_ratio=0.5,
            principals=400,
            request_timeout_ns=10 * S,
            drain_ns=10 * S,
        ),
        faults=(fault,),
        objectives=(
            Objective(id="latency-p95", kind=Kind.RATIO, quantity=Quantity.LATENCY, op="<=", limit=0.05, written="p95 < 5s",
                      threshold_ns=5 * S, permille=950, during=("steady", "outage", "recovery"), covers=("F5", "R6")),
            Objective(id="spend", kind=Kind.BUDGET, quantity=Quantity.SPEND, op="<=", limit=0.06, written="<= 1.2 x planned"),
        ),
        planned_requests=1900,
        planned_cost_usd=0.05,
        clock=Clock(zero_monotonic_ns=0, zero_wall_ns=1_775_038_500 * S),
    )  # fmt: skip
    return replace(plan, **changes)  # type: ignore[arg-type]


def ratio(id_: str, phase: str, status: Status, bad: int, n: int, lower: float, upper: float, limit: float, op: str, reason: str,
          **more: object) -> Judgement:  # fmt: skip
    test = Test(quantity="bad_share" if op == "<=" else "fallback_share", op=op, limit=limit, value=bad / n, lower=lower, upper=upper,
                confidence=0.95, n=n, n_effective=n * 0.82, bad=bad, needed=0 if status is not Status.INCONCLUSIVE else 120)  # fmt: skip
    fields: dict[str, object] = {"kind": Kind.RATIO, "severity": Severity.GATE, **more}
    return Judgement(id=id_, phase=phase, status=status, reason=reason, test=test, **fields)  # type: ignore[arg-type]


def healthy_results() -> tuple[Judgement, ...]:
    p95 = Shown(quantity="p95", unit="s", value=1.214, interval=(1.1, 1.4))
    asked = {"written": "p95 < 5s", "covers": ("F5", "R6"), "shown": p95, "evidence": (Evidence(kind="plot", ref="timeline"),)}
    return (
        ratio("latency-p95", "steady", Status.PASS, 1, 590, 0.0001, 0.008, 0.05, "<=", "1 of 590 requests was slower than 5 s.", **asked),
        ratio("latency-p95", "outage", Status.PASS, 9, 600, 0.0079, 0.026, 0.05, "<=",
              "9 of 600 requests were slower than 5 s or not answered.", **(asked | {"evidence": (Evidence(kind="request", ref="703"),)})),
        ratio("error-rate", "outage", Status.PASS, 4, 600, 0.0023, 0.0152, 0.05, "<=", "4 of 600 requests were bad.", written="< 5%",
              covers=("R8",)),
        ratio("fallback-share-outage", "outage", Status.PASS, 590, 600, 0.972, 0.991, 0.95, ">=",
              "590 of 600 answers came from the second model.", written="> 95%", covers=("R3",)),
        ratio("fallback-share-steady", "steady", Status.PASS, 2, 580, 0.0006, 0.0108, 0.03, "<=", "2 of 580 answers were fallbacks.",
              written="< 3%"),
        Judgement(id="recovered-within", kind=Kind.DURATION, severity=Severity.GATE, status=Status.PASS, phase="recovery",
                  reason="Good again 2.31 s after the fault was proved clear, in this drill.", written="10s",
                  test=Test(quantity="recovered_s", op="<=", limit=10.0, value=2.31),
                  shown=Shown(quantity="recovered after", unit="s", value=2.31)),
        Judgement(id="spend", kind=Kind.BUDGET, severity=Severity.WARN, status=Status.PASS, reason="The meter says $0.0461.",
                  written="<= 1.2 x planned", test=Test(quantity="spend_usd", op="<=", limit=0.06, value=0.0461)),
    )  # fmt: skip


def failing_results() -> tuple[Judgement, ...]:
    first, _, _, _, *rest = healthy_results()
    return (
        first,
        ratio("latency-p95", "outage", Status.FAIL, 561, 600, 0.915, 0.951, 0.05, "<=",
              "561 of 600 requests in outage were slower than 5 s or not answered: at least 91.5 % are, where 5 % were allowed.",
              written="p95 < 5s", covers=("F5", "R6"), shown=Shown(quantity="p95", unit="s", value=None),
              evidence=tuple(Evidence(kind="request", ref=str(seq)) for seq in range(705, 725))),
        ratio("error-rate", "outage", Status.INCONCLUSIVE, 30, 600, 0.0362, 0.0676, 0.05, "<=",
              "30 of 600 requests were bad; 120 more requests are needed to decide.", written="< 5%", covers=("R8",)),
        Judgement(id="fallback-share-outage", kind=Kind.RATIO, severity=Severity.GATE, status=Status.NOT_APPLICABLE, phase="outage",
                  reason="The target offers no second model.", written="> 95%", covers=("R3",)),
        *rest,
    )  # fmt: skip


def make_verdict(status: Status = Status.PASS, results: tuple[Judgement, ...] | None = None, **changes: object) -> Verdict:
    from harness.model.judgement import EXIT_CODES

    verdict = Verdict(
        run_id="20260401-101500-provider-outage",
        verdict=status,
        exit_code=int(EXIT_CODES[status]),
        reason="All 7 objectives were met while the primary provider was dark for 30 s."
        if status is Status.PASS
        else "latency-p95 failed in outage: 561 of 600 requests were slower than 5 s or not answered, where 5 % were allowed.",
        started_at="2026-04-01T10:15:00.000+00:00",
        duration_s=97.4,
        harness_version="0.1.0",
        seed=1,
        plan_digest="4c" * 32,
        scenario=VerdictScenario(name="provider-outage", digest="9f" * 32),
        target=VerdictTarget(kind="embedded", version="0.1.0"),
        spend_usd=0.0461,
        results=healthy_results() if results is None else results,
        faults=(
            FaultRecord(id="outage-0", kind="timeout", at="provider.primary", phase="outage", requested_ns=35 * S,
                        confirmed_ns=35 * S + 40_000_000, cleared_ns=65 * S + 10_000_000, proved_clear_ns=65 * S + 90_000_000,
                        acted=Acted(by=ActedBy.PROXY, count=612)),
        ),
        instrument=InstrumentHealth(intended=1900, sent=1900, lag_p99_ms=0.74, loop_lag_p99_ms=1.1, cpu_ratio=0.41, valid=True),
        labels={"branch": "main"},
    )  # fmt: skip
    return replace(verdict, **changes)  # type: ignore[arg-type]


def make_summary(*, failing: bool = False) -> Summary:
    def phase(name: str, kind: PhaseKind, start: int, end: int) -> PhaseSummary:
        dark = name == "outage"
        n, p50, p95 = (end - start) * 20, 2.4 if dark else 0.9, None if dark and failing else 4.1 if dark else 1.9
        return PhaseSummary(
            name=name, kind=kind, start_s=start, end_s=end, intended=n, straddling=10 if dark else 0, eligible=n - (10 if dark else 0),
            bad=(561 if failing else 4) if dark else 0, results={"answered": n}, sources={"primary": n}, refusals={},
            response=(Quantile(permille=500, value_s=p50, low_s=p50 - 0.1, high_s=p50 + 0.1),
                      Quantile(permille=950, value_s=p95, low_s=p95 and p95 - 0.2, high_s=p95 and p95 + 0.2)),
            service=(), ttft=(), fallback=580 if dark else 2, fallback_of=n - 10, goodput_rps=19.4, spend_usd=0.0111, calls=n,
        )  # fmt: skip

    return Summary(
        run_id="20260401-101500-provider-outage",
        duration_s=97.4,
        phases=tuple(phase(*p) for p in PHASES),
        recoveries=(
            Recovery(after="outage", recovered_s=2.31, window_s=30, to_detect_s=1.2, to_fallback_s=0.8, to_primary_s=5.3),
        ),
        spend_usd=0.0461,
        planned_spend_usd=0.05,
        provider_calls=2512,
        unmatched_calls=3,
    )


def make_timeline(*, failing: bool = False, seconds: int = 105) -> pa.Table:
    random_ = random.Random(7)
    rows, spend = [], 0.0
    for t in range(seconds):
        phase = next((n for n, _, a, b in PHASES if a <= t < b), "recovery")
        intended = 0 if t >= 95 else max(0, round(random_.gauss(20, 4)))
        dark = phase == "outage"
        broken = round(intended * 0.85) if dark and failing else (1 if dark and t % 7 == 0 and intended else 0)
        answered = intended - broken
        spend += answered * 0.000025
        base = 2.4 if dark else 0.9
        rows.append({
            "t_s": float(t), "phase": phase, "intended": intended, "sent": intended, "answered": answered, "refused": 0, "shed": 0,
            "error": broken // 2, "timeout": broken - broken // 2, "malformed": 0, "cancelled": 0, "unsent": 0,
            "primary": 0 if dark else answered - answered // 10, "secondary": answered if dark else 0,
            "cache": 0 if dark else answered // 10, "stale_cache": 0, "canned": 0, "rule": 0,
            "response_p50_s": base + random_.random() * 0.2 if answered else None,
            "response_p95_s": base * 1.7 + random_.random() * 0.6 if answered else None,
            "response_p99_s": base * 2 + random_.random() if answered else None,
            "spend_usd": spend, "lag_p99_ms": 0.4 + random_.random() * 0.5, "loop_lag_p99_ms": 0.8 + random_.random(),
            "cpu_ratio": 0.3 + random_.random() * 0.1,
        })  # fmt: skip
    from harness.report.material import TIMELINE_SCHEMA

    return pa.Table.from_pylist(rows, schema=TIMELINE_SCHEMA)


def make_requests(texts: tuple[str, ...] = (), *, count: int = 1900, failing: bool = False) -> pa.Table:
    random_ = random.Random(11)
    rows = []
    for seq in range(count):
        intended_s = seq / 20
        phase = next((n for n, _, a, b in PHASES if a <= intended_s < b), "recovery")
        bad = phase == "outage" and (random_.random() < 0.9 if failing else seq % 150 == 3)
        response = 10.0 if bad else (1.4 if phase == "outage" else 0.5) * math.exp(random_.gauss(0, 0.4))
        text = texts[seq % len(texts)] if texts else None
        rows.append({
            "seq": seq, "phase": phase, "user_class": text or "faq", "principal": text or f"user-{seq % 400:04d}",
            "model": text or "sim-large", "streamed": seq % 2 == 0, "exposed": phase == "outage", "intended_s": intended_s,
            "response_s": response, "service_s": response - 0.0006, "ttft_s": None if bad or seq % 2 else response * 0.35,
            "lag_ms": 0.6, "result": "timeout" if bad else "answered", "source": None if bad else "primary", "refusal": None,
            "error_kind": text or ("deadline" if bad else None), "expected": None, "status_code": None if bad else 200, "bad": bad,
            "provider_s": None if bad else response * 0.8, "calls": 1, "request_id": text or f"req-{seq:06d}",
        })  # fmt: skip
    from harness.report.material import REQUESTS_SCHEMA

    rows = [{key: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value for key, value in row.items()}
            for row in rows]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=REQUESTS_SCHEMA)


def make_cdf() -> pa.Table:
    from harness.report.material import CDF_SCHEMA

    rows = [{"permille": p, "response_s": 0.4 * math.exp(2.2 * (p / 1000) ** 3), "service_s": 0.39 * math.exp(2.2 * (p / 1000) ** 3)}
            for p in range(1, 1001)]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=CDF_SCHEMA)


def make_heat() -> pa.Table:
    from harness.report.material import HEAT_SCHEMA

    rows = [
        {"from_s": float(t), "to_s": t + 1.0, "took_from_s": low, "took_to_s": low * 1.3, "answers": answers}
        for t in range(95)
        for low, answers in ((0.5, 14), (0.65, 5), (5.0, 1 if 35 <= t < 65 else 0))
        if answers
    ]
    return pa.Table.from_pylist(rows, schema=HEAT_SCHEMA)


def make_gaps() -> pa.Table:
    from harness.report.material import GAPS_SCHEMA

    rows = [
        {"permille": p, "seen_s": 0.006 + p / 1e5, "longest_s": 0.02 + p / 1e4, "sent_s": 0.005 + p / 2e5} for p in range(1, 1001)
    ]
    return pa.Table.from_pylist(rows, schema=GAPS_SCHEMA)


def make_breakers() -> pa.Table:
    from harness.report.material import BREAKERS_SCHEMA

    spans = {
        ("a", "primary"): (("closed", 0, 37), ("open", 37, 62), ("half-open", 62, 66), ("closed", 66, 95)),
        ("b", "primary"): (("closed", 0, 38), ("open", 38, 95)),
        ("a", "secondary"): (("closed", 0, 95),),
    }
    rows = [
        {"instance": instance, "endpoint": endpoint, "state": state, "from_s": float(low), "to_s": float(high)}
        for (instance, endpoint), parts in spans.items()
        for state, low, high in parts
    ]
    return pa.Table.from_pylist(rows, schema=BREAKERS_SCHEMA)


def write_run(path: Path, verdict: Verdict | None, *, plan: Plan | None = None, failing: bool = False,
              requests: pa.Table | None = None, measured: bool = True) -> RunDirectory:  # fmt: skip
    """Write a whole run; without `measured` only plan, journal and verdict, which spares the plots."""
    run = RunDirectory.create(path)
    run.write_plan(plan or make_plan())
    run.record(Event.RUN_STARTED, at_ns=0)
    run.record(Event.FAULT_CONFIRMED, "outage-0", at_ns=35 * S, place="provider.primary")
    if verdict is not None:
        run.write_verdict(verdict)
    if not measured:
        return run
    write_whole(run.measurements / "summary.json", codec.to_pretty_json(make_summary(failing=failing)))
    pq.write_table(make_timeline(failing=failing), run.measurements / "timeline.parquet")
    pq.write_table(make_requests(failing=failing) if requests is None else requests, run.measurements / "requests.parquet")
    pq.write_table(make_cdf(), run.measurements / "cdf.parquet")
    pq.write_table(make_heat(), run.measurements / "heat.parquet")
    pq.write_table(make_gaps(), run.measurements / "gaps.parquet")
    pq.write_table(make_breakers(), run.measurements / "breakers.parquet")
    return run


def keep_exchanges(run: RunDirectory, texts: dict[int, str]) -> None:
    """Keep what these requests asked and were answered, as the load workers do; the last line is cut short."""
    lines = [
        json.dumps({"seq": seq, "request": f"POST /chat HTTP/1.1\r\nAuthorization: Bearer ***\r\n\r\n{text}", "response": text,
                    "response_bytes": len(text)})
        for seq, text in texts.items()
    ]  # fmt: skip
    (run.path / "exchanges" / "worker-000.jsonl").write_text("\n".join(lines) + '\n{"seq": 1, "requ', "utf-8")


def healthy_run(path: Path) -> RunDirectory:
    return write_run(path, make_verdict())


def failing_run(path: Path) -> RunDirectory:
    run = write_run(path, make_verdict(Status.FAIL, failing_results()), failing=True)
    keep_exchanges(run, {705: "the provider said nothing\nfor 5 s", 710: "x" * 5000})
    return run


def hostile_run(path: Path) -> RunDirectory:
    """A run in which every text that a target, a scenario or a judge can set is from the corpus."""
    texts = tuple(text.encode("utf-8", "replace").decode() for text in HOSTILE)
    results = tuple(
        Judgement(id=f"check-{number} {text}", kind=Kind.CHECK, severity=Severity.GATE, status=Status.FAIL, phase=text, reason=text,
                  written=text, covers=(text,), evidence=(Evidence(kind="log", ref=text), Evidence(kind="request", ref=text)))
        for number, text in enumerate(texts)
    )  # fmt: skip
    verdict = make_verdict(Status.FAIL, results, reason=" ".join(texts), labels=dict(zip(texts, texts, strict=True)))
    faults = tuple(replace(verdict.faults[0], id=text, kind=text, at=text, phase=text) for text in texts)
    verdict = replace(verdict, faults=faults, scenario=VerdictScenario(name=texts[0], digest=texts[1]),
                      target=VerdictTarget(kind=texts[2], version=texts[5]), started_at=texts[3], run_id=texts[4])  # fmt: skip
    plan = make_plan()
    scenario = replace(plan.scenario, name=texts[0], title=texts[5], path=texts[3], hypothesis=texts[1])
    names = (texts[0], texts[13], texts[14], texts[16])
    plan = replace(plan, scenario=scenario, phases=tuple(replace(p, name=n) for p, n in zip(plan.phases, names, strict=True)),
                   target=replace(plan.target, name=texts[4]), overrides=(texts[1], texts[14]))  # fmt: skip
    run = write_run(path, verdict, plan=plan, requests=make_requests(texts))
    for text in texts:
        run.record(Event.TROUBLE, text, at_ns=1, line=text)
    listed = [row["seq"] for row in make_requests(texts).to_pylist() if row["bad"]]
    keep_exchanges(run, dict(zip(listed, texts, strict=False)))
    return run
