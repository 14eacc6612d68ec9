"""Run directories of checks that probe: the plan's own probes, each answered as a test says."""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from run_builder import PHASES, RunBuilder, healthy_samples

from harness.checks import CHECKS, PLANNERS
from harness.measure import read_run
from harness.model.fault import Fault, Scalar
from harness.model.journal import Event
from harness.model.judgement import Judgement
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import EVERY_INSTANCE, Probe, ProbeRecord
from harness.model.sample import Call, Sample

STEADY, OUTAGE = PHASES[1], PHASES[2]
_numbers = itertools.count()


@dataclass(frozen=True, kw_only=True)
class A:
    """One answer. status None: none came."""

    status: int | None = 200
    body: object = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    refusal: str | None = None
    result: str | None = None
    source: str | None = None
    error_kind: str | None = None
    took_s: float = 0.05


Answering = Callable[[Probe, int, str | None], A | None]


def check_of(name: str, *, phase: str = "steady", **settings: Scalar) -> PlannedCheck:
    return PlannedCheck(id=name.replace(" ", "-"), name=name, phase=phase, settings=settings, covers=("X1",))


def recorded(check: PlannedCheck, phase: Phase, answering: Answering) -> list[ProbeRecord]:
    """Return a record for each time that a probe of the check was asked; answering gives None for one never asked."""
    found = []
    for probe in PLANNERS[check.name].plan(check, phase).probes:
        for number in range(probe.count):
            for instance in ("a", "b") if probe.instance == EVERY_INSTANCE else (probe.instance,):
                answer = answering(probe, number, instance)
                if answer is not None:
                    found.append(_record(probe, number, instance, answer))
    return found


def _record(probe: Probe, number: int, instance: str | None, answer: A) -> ProbeRecord:
    at_ns = probe.at_ns + number * probe.every_ns
    result = answer.result or ("answered" if answer.status is not None and answer.status < 300 else "error")
    return ProbeRecord(
        check_id=probe.check_id,
        name=probe.name,
        number=number,
        instance=instance,
        principal=probe.principal,
        credential=probe.credential,
        method=probe.method,
        path=probe.path or "/v1/chat/completions",
        at_ns=at_ns,
        started_ns=at_ns,
        ended_ns=at_ns + round(answer.took_s * 1e9),
        request_id=f"probe-{probe.name}-{instance}-{number}",
        request=probe.body or "",
        status_code=answer.status,
        result="refused" if answer.refusal else result,
        refusal=answer.refusal,
        source=answer.source,
        error_kind=answer.error_kind,
        headers=answer.headers,
        body=answer.body if isinstance(answer.body, str) else json.dumps(answer.body),
    )


def judged(
    path: Path,
    check: PlannedCheck,
    answering: Answering | None,
    *,
    phase: Phase = STEADY,
    actions: Mapping[str, Mapping[str, str | int | float | bool | None] | None] | None = None,
    samples: list[Sample] | None = None,
    calls: list[Call] | None = None,
    logs: Mapping[str, str] | None = None,
    began: Mapping[str, float] | None = None,
    lasted: Mapping[str, float] | None = None,
    faults: tuple[Fault, ...] | None = None,
) -> Judgement:
    """Return the judgement of a run with these answers; answering None: no probe was ever sent.

    actions: by name what each told, None for one that failed; those of the plan are done by default.
    began, lasted: of an action, in seconds, where that is not when the plan has it.
    """
    steps = PLANNERS[check.name].plan(check, phase)
    builder = RunBuilder(checks=(check,), bursts=steps.bursts, capped=steps.capped_principals, manifest=False)
    builder.samples = healthy_samples(2) if samples is None else samples
    builder.calls = calls
    if faults is not None:
        builder.faults = faults
    run = builder.build(path / f"run{next(_numbers)}")
    run.write_plan(replace(run.read_plan(), probes=steps.probes, actions=steps.actions))
    for record in [] if answering is None else recorded(check, phase, answering):
        run.append_probe(record)
    done = {action.name: action.at_ns for action in steps.actions} if answering is not None else {}
    for name, at_ns in done.items():
        told = {} if actions is None else actions.get(name, {})
        event = Event.ACTION_FAILED if told is None else Event.ACTION_DONE
        began_ns = round((began or {}).get(name, at_ns / 1e9) * 1e9)
        run.record(Event.ACTION_STARTED, f"{check.id}/{name}", at_ns=began_ns)
        ended_ns = began_ns + round((lasted or {}).get(name, 0.0) * 1e9)
        run.record(event, f"{check.id}/{name}", at_ns=ended_ns, **({"reason": "no"} if told is None else told))
    for name, text in (logs or {}).items():
        (run.logs / name).write_text(text, encoding="utf-8")
    run.write_manifest()
    return CHECKS[check.name][1](read_run(run), check)
