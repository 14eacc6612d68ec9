"""What the people of a drill are told before it begins."""

from harness.arrivals import peak_rps
from harness.cli.drill_desk import abort_lines
from harness.model.fault_radius import blast_radius
from harness.model.figures import dollars
from harness.model.plan import Plan
from harness.model.units import format_duration
from harness.report import visible
from harness.run.attending import questions_of


def briefing(plan: Plan, *, asking: bool) -> str:
    """Return the briefing: hypothesis, what will happen when, blast radius, what ends it, roll back. asking: at a terminal.

    What the scenario leaves out is said, with the key that it would stand under.
    """
    scenario = plan.scenario
    lines = [
        f"DRILL  {visible(scenario.title)}  ({visible(scenario.name)})",
        f"target  {visible(plan.target.name)} ({plan.target.kind})",
        "",
        "hypothesis",
        f"  {_stated(scenario.hypothesis, 'hypothesis')}",
        "",
        "what will happen",
    ]
    for phase in plan.phases:
        faults = ", ".join(f"{fault.kind} at {fault.at}" for fault in plan.faults if fault.phase == phase.name)
        span = f"{phase.start_ns / 1e9:6.0f} s to {phase.end_ns / 1e9:.0f} s"
        lines.append(visible(f"  {span}  {phase.kind.value:<9} {phase.name}{': ' + faults if faults else ''}"))
    peak = max((peak_rps(segment) for segment in plan.load.segments), default=0.0)
    lines += [f"  about {plan.planned_requests:,} requests, {peak:g}/s at the most; at most {dollars(plan.planned_cost_usd)}", ""]
    lines += [visible(line) for line in blast_radius(plan.faults, scenario.blast_radius)]
    lines += ["", "what ends it early"]
    lines += [f"  {line}" for line in abort_lines(plan)]
    lines.append(
        f"  {'x at this terminal, ' if asking else ''}Ctrl-C, or harness halt from another: every fault is cleared within 5 s"
    )
    lines += [
        "",
        "roll back, should the harness itself be gone",
        f"  {_stated(scenario.roll_back, 'roll_back')}",
        "  harness clean",
    ]
    lines += ["", "you are asked" if asking else "nobody is asked (--yes)"]
    lines += [
        f"  at {format_duration(question.ask_ns)}, before {visible(question.what)} at {format_duration(question.until_ns)}"
        for question in questions_of(plan)
    ]
    return "\n".join(lines)


def _stated(text: str | None, key: str) -> str:
    return visible(" ".join(text.split())) if text else f"none is written: the scenario has no `{key}`"
