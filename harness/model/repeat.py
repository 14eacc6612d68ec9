"""The command that does a run again."""

import shlex

from harness.model.plan import Plan


def how_to_repeat(plan: Plan) -> str:
    """Return the command that runs the same arrivals, faults and prompts again."""
    words = ["harness", "run", plan.scenario.path or plan.scenario.name, "--target", plan.target.kind, "--seed", str(plan.seed)]
    if plan.target.kind == "external":
        words[words.index("external")] = f"{plan.target.name}.yaml"
    for override in plan.overrides:
        words += ["--set", override]
    return shlex.join(words)
