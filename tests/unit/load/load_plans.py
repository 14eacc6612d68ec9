"""Plans for the load room's tests."""

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

S = 1_000_000_000
MIX = (
    UserClass(name="faq", weight_ratio=0.25, prompts=("a {n}", "b {n}", "c"), model="small"),
    UserClass(name="knowledge", weight_ratio=0.75, prompts=("{n} and {n}",), max_tokens=9),
)


def plan(
    *,
    rate_rps: float = 100,
    mix: tuple[UserClass, ...] = MIX,
    streamed_ratio: float = 0.5,
    principals: int = 7,
    bursts: tuple[Burst, ...] = (),
    seed: int = 5,
) -> Plan:
    """Ten seconds of constant arrivals, a warm-up of two."""
    return Plan(
        run_id="2026-run-Ab12Cd34",
        created_at="",
        harness_version="",
        scenario=ScenarioReference(name="", title="", path="", digest=""),
        target=TargetReference(kind="external", name=""),
        seed=seed,
        phases=(
            Phase(name="warm", kind=PhaseKind.WARMUP, start_ns=0, end_ns=2 * S),
            Phase(name="steady", kind=PhaseKind.STEADY, start_ns=2 * S, end_ns=10 * S),
        ),
        load=LoadPlan(
            segments=(ArrivalSegment(process=ArrivalProcess.CONSTANT, start_ns=0, end_ns=10 * S, rate_rps=rate_rps),),
            mix=mix,
            streamed_ratio=streamed_ratio,
            principals=principals,
            request_timeout_ns=S,
            drain_ns=S,
            bursts=bursts,
        ),
        faults=(),
        objectives=(),
    )


def burst(count: int = 5, at_ns: int = 2 * S) -> Burst:
    return Burst(check_id="cap", at_ns=at_ns, count=count, principal="capped", user_class=MIX[0], streamed=False)
