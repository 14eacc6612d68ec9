"""How late the generator may be depends on the tightest time that is judged."""

from dataclasses import replace

import pytest

from harness.measure.instrument import error_bound_ms
from harness.model.objective import Kind, Objective, Quantity
from harness.model.plan import LoadPlan, Phase, PhaseKind, Plan, ScenarioReference, TargetReference

PLAN = Plan(
    run_id="r",
    created_at="",
    harness_version="",
    scenario=ScenarioReference(name="s", title="", path="", digest=""),
    target=TargetReference(kind="embedded", name=""),
    seed=1,
    phases=(Phase(name="steady", kind=PhaseKind.STEADY, start_ns=0, end_ns=1),),
    load=LoadPlan(segments=(), mix=(), streamed_ratio=0, principals=1, request_timeout_ns=1, drain_ns=1),
    faults=(),
    objectives=(),
)
LATENCY = Objective(id="l", kind=Kind.RATIO, quantity=Quantity.LATENCY, op="<=", limit=0.05, written="p95 < 5s", permille=950)


@pytest.mark.parametrize(
    ("thresholds_s", "bound_ms"),
    [((5.0,), 50.0), ((10.0, 5.0), 50.0), ((30.0,), 300.0), ((0.5,), 20.0), ((), 50.0)],
)
def test_the_bound_is_a_hundredth_of_the_tightest_time_but_never_below_a_schedulers_turn(
    thresholds_s: tuple[float, ...], bound_ms: float
) -> None:
    objectives = tuple(replace(LATENCY, threshold_ns=round(s * 1e9)) for s in thresholds_s)
    assert error_bound_ms(replace(PLAN, objectives=objectives)) == bound_ms
