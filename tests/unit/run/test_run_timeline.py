"""Steps come in the order of time; at one moment old faults end before new ones begin."""

from dataclasses import replace

from harness.model.fault import Fault
from harness.model.live import LiveLine
from harness.model.plan import AbortCondition, LoadPlan, Phase, PhaseKind, Plan, ScenarioReference, TargetReference
from harness.run.abort import abort_reason
from harness.run.timeline import StepKind, steps_of

S = 1_000_000_000


def _fault(name: str, apply_s: int, clear_s: int) -> Fault:
    return Fault(id=name, at="provider.primary", kind="timeout", phase="x", apply_ns=apply_s * S, clear_ns=clear_s * S)


PLAN = Plan(
    run_id="r",
    created_at="",
    harness_version="",
    scenario=ScenarioReference(name="s", title="", path="", digest=""),
    target=TargetReference(kind="embedded", name=""),
    seed=1,
    phases=(
        Phase(name="a", kind=PhaseKind.FAULT, start_ns=0, end_ns=10 * S),
        Phase(name="b", kind=PhaseKind.FAULT, start_ns=10 * S, end_ns=20 * S),
    ),
    load=LoadPlan(segments=(), mix=(), streamed_ratio=0, principals=1, request_timeout_ns=1, drain_ns=1),
    faults=(_fault("one", 0, 10), _fault("two", 0, 10), _fault("three", 10, 20)),
    objectives=(),
)


def test_faults_are_cleared_in_reverse_before_the_next_phase_applies_its_own() -> None:
    told = [(step.kind, step.fault.id if step.fault else step.phase and step.phase.name) for step in steps_of(PLAN)]
    assert told == [
        (StepKind.PHASE, "a"),
        (StepKind.APPLY, "one"),
        (StepKind.APPLY, "two"),
        (StepKind.CLEAR, "two"),
        (StepKind.CLEAR, "one"),
        (StepKind.PHASE, "b"),
        (StepKind.APPLY, "three"),
        (StepKind.CLEAR, "three"),
    ]


LINE = LiveLine(
    worker=0, t_ns=0, phase="a", intended=10, sent=10, ended=10, in_flight=0, results={"answered": 10}, sources={},
    latency={}, dispatch_lag={}, loop_lag={}, cpu_ratio=0.1,
)  # fmt: skip
CONDITION = AbortCondition(error_ratio=0.5, for_ns=5 * S)


def _lines(*results: dict[str, int]) -> list[LiveLine]:
    return [replace(LINE, t_ns=(second + 1) * S, results=result) for second, result in enumerate(results)]


def test_a_run_is_aborted_when_most_requests_of_the_whole_window_were_bad() -> None:
    lines = _lines(*[{"error": 6, "answered": 4}] * 6)
    assert "36 of" not in (abort_reason([CONDITION], lines, 6 * S) or "")
    assert "30 of 50 requests were bad" in (abort_reason([CONDITION], lines, 6 * S) or "")


def test_refusals_and_a_half_bad_window_abort_nothing() -> None:
    assert abort_reason([CONDITION], _lines(*[{"error": 5, "answered": 5}] * 6), 6 * S) is None
    assert abort_reason([CONDITION], _lines(*[{"refused": 10}] * 6), 6 * S) is None


def test_the_window_must_have_passed_once() -> None:
    assert abort_reason([CONDITION], _lines({"error": 10}), 1 * S) is None


def test_no_traffic_aborts_nothing() -> None:
    assert abort_reason([CONDITION], [], 60 * S) is None
