"""A plan counts the requests of a phase as the judge does: what the one foretells of a quick service the other finds."""

from dataclasses import replace
from pathlib import Path

import pytest
from run_builder import FAULT, JUDGED, RunBuilder, error_rate, sample

from harness.judge import judge
from harness.measure import read_run
from harness.model.journal import Event
from harness.model.judged_time import judged_spans
from harness.scenario.samples import Timeline, planned_samples

S = 1_000_000_000


@pytest.mark.parametrize(
    ("stretches", "counted"),
    [
        ([(12, 22)], 200),
        ([(15, 22)], 140),  # from: 3s
        ([(15, 19)], 80),  # and for: 4s
        ([(13, 14), (16, 18), (20, 22)], 100),  # a fault that comes and goes
        ([(12, 16), (15, 20)], 160),  # two that overlap
        ([(18, 19), (13, 21)], 160),  # one within another
    ],
)
def test_a_fault_phase_judges_as_many_as_were_planned(tmp_path: Path, stretches: list[tuple[int, int]], counted: int) -> None:
    faults = tuple(
        replace(FAULT, id=f"f{number}", apply_ns=start * S, clear_ns=end * S) for number, (start, end) in enumerate(stretches)
    )
    quick = [sample(seq, seq / 20, 0.002) for seq in range(640)]
    builder = RunBuilder(objectives=(error_rate(),), samples=quick, faults=faults, steps={}, manifest=False)
    run = builder.build(tmp_path / "run")
    for fault in faults:
        for event, moment_ns in (
            (Event.FAULT_REQUESTED, fault.apply_ns),
            (Event.FAULT_CONFIRMED, fault.apply_ns),
            (Event.FAULT_CLEARED, fault.clear_ns),
            (Event.FAULT_PROVED_CLEAR, fault.clear_ns),
        ):
            run.record(event, fault.id, at_ns=moment_ns)
        run.record(Event.FAULT_ACTED, fault.id, at_ns=fault.clear_ns, by="provider", count=9)
    run.write_manifest()
    plan = builder.plan()
    timeline = Timeline.of(plan)
    foretold = {name: planned_samples(plan.objectives[0], plan.phase(name), timeline) for name in JUDGED}
    judged = {row.phase: row.test.n for row in judge(run).results if row.id == "error-rate" and row.test is not None}
    assert foretold == judged == {"steady": 200, "outage": counted, "recovery": 200}
    assert int(read_run(run).members["outage"].eligible.sum()) == counted


def test_spans_are_in_order_and_none_touches_another() -> None:
    phase = RunBuilder().phases[2]
    faults = [replace(FAULT, apply_ns=start * S, clear_ns=end * S) for start, end in ((20, 22), (12, 14), (14, 15), (11, 13))]
    assert judged_spans(faults, phase) == ((12 * S, 15 * S), (20 * S, 22 * S))
    assert judged_spans([], phase) == ((12 * S, 22 * S),)
