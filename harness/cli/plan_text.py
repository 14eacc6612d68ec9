"""A plan as people read it before they let it run."""

from harness.model.fault_radius import blast_radius
from harness.model.figures import dollars
from harness.model.judged_time import own_faults
from harness.model.objective import Kind, Objective, Quantity
from harness.model.plan import Phase, PhaseKind, Plan
from harness.model.units import NS_PER_S, format_duration
from harness.scenario.locustfile import undecided
from harness.scenario.samples import Timeline, part_of, planned_after, planned_samples
from harness.stats import requests_for_pass, smallest_n_to_pass

ASSUMED_BAD_RATIO = 0.2
"""A service that is as good as a fifth of its limit: what the chance of a pass is told for."""


def plan_text(plan: Plan, *, real_money: bool = False) -> str:
    """Return the timeline, the load, what each objective needs, and what the run takes."""
    lines = [f"{plan.scenario.title}  ({plan.scenario.name}, seed {plan.seed}, target {plan.target.name})", ""]
    lines += ["timeline"]
    lines += [f"  {_span(phase)}  {phase.kind.value:<9} {phase.name}{_faults(plan, phase)}" for phase in plan.phases]
    radius = blast_radius(plan.faults, plan.scenario.blast_radius)
    lines += ["", *radius] if radius else []
    lines += ["", "load"]
    lines += _load(plan)
    for burst in plan.load.bursts:
        at = format_duration(burst.at_ns)
        lines += [f"  at {at}: {burst.count} at once by {burst.principal} (check {burst.check_id})"]
    lines += ["", "objectives"]
    lines += [f"  {line}" for objective in plan.objectives for line in _objective(plan, objective)]
    lines += _plugins(plan)
    seconds = plan.end_ns / NS_PER_S
    lines += ["", f"takes {format_duration(seconds * NS_PER_S)} and the stack's start and stop (about 15 s)"]
    # Of a real model nobody knows how much it will say: the simulated one's length is a guess there, and the cap is none.
    whose = "about" if real_money else "at most"
    money = "of real money; it ends at `limits.spend_usd`" if real_money else "of simulated money"
    lines += [f"costs {whose} {dollars(plan.planned_cost_usd)} {money}"]
    return "\n".join(lines)


def _plugins(plan: Plan) -> list[str]:
    """Return whose code the run would execute; a plan has read their names and run nothing of them."""
    if not plan.plugins:
        return []
    lines = ["", "plug-ins (read here, run by harness run alone)"]
    for each in plan.plugins:
        digest = "installed" if each.digest is None else f"sha256 {each.digest[:12]}"
        lines.append(f"  {each.path} ({digest}): {', '.join(each.brings)}")
        lines += [
            f"    {check.id}: what it sends is its own code's to say, and is not counted above"
            for check in plan.checks
            if each.digest is not None and check.name in each.brings
        ]
    return lines


def _load(plan: Plan) -> list[str]:
    file = plan.load.locustfile
    if file is not None:
        return [
            f"  about {plan.planned_requests:,} arrivals, each a task of {file.path} (sha256 {file.digest[:12]})",
            "  the scenario's mix, prompts and streamed share are not used: the tasks say what is asked",
        ]
    mix = ", ".join(f"{part.name} {part.weight_ratio:.0%}" for part in plan.load.mix)
    streamed = f"{plan.load.streamed_ratio:.0%} streamed"
    return [f"  about {plan.planned_requests:,} requests ({mix}), {streamed}", f"  {plan.load.principals} users"]


def _span(phase: Phase) -> str:
    return f"{phase.start_ns / NS_PER_S:6.1f} s - {phase.end_ns / NS_PER_S:6.1f} s"


def _faults(plan: Plan, phase: Phase) -> str:
    faults = [f"{fault.kind} at {fault.at}" for fault in plan.faults if fault.phase == phase.name]
    return f": {', '.join(faults)}" if faults else ""


def _objective(plan: Plan, objective: Objective) -> list[str]:
    if objective.kind is not Kind.RATIO:
        where = f" after {objective.after}" if objective.after else ""
        return [f"{objective.id}: {objective.written}{where}"]
    least = smallest_n_to_pass(objective.bad_limit, objective.confidence)
    likely = requests_for_pass(objective.bad_limit, objective.bad_limit * ASSUMED_BAD_RATIO)
    lines = [f"{objective.id}: {objective.written}; a pass needs {least} requests without a bad one, {likely} for a good chance"]
    if plan.load.locustfile is not None and (when := undecided(objective)) is not None:
        lines.append(f"    {when}")
    timeline = Timeline.of(plan)
    lines += [f"    {_counted(plan, objective, phase, timeline)}" for phase in plan.phases if phase.name in objective.during]
    return lines


def _counted(plan: Plan, objective: Objective, phase: Phase, timeline: Timeline) -> str:
    """Return how many requests of a phase an objective is planned to judge, and when they must fall due for that."""
    text = f"{phase.name}: about {planned_samples(objective, phase, timeline):.0f} planned"
    if (on_ns := part_of(objective, phase, plan.faults)) is not None:
        return f"{text}, in the {format_duration(on_ns)} for which its faults are on"
    limit = next((o for o in plan.objectives if o.quantity is Quantity.RECOVERY and o.after == _fault_before(plan, phase)), None)
    if phase.kind is PhaseKind.RECOVERY and limit is not None:
        left = planned_after(objective, phase, phase.start_ns + round(limit.limit), timeline)
        return f"{text}, {left:.0f} where the recovery takes the {format_duration(limit.limit)} that it may"
    return text


def _fault_before(plan: Plan, phase: Phase) -> str | None:
    """Return the last phase with faults before another."""
    return next((p.name for p in reversed(plan.phases) if p.end_ns <= phase.start_ns and own_faults(plan.faults, p)), None)
