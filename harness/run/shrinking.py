"""A scenario whose faults fail together, run again and again with fewer of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from harness.errors import ConfigurationError
from harness.faults.shrinking import shrink
from harness.model.fault import Fault
from harness.model.judgement import Status
from harness.model.plan import Plan
from harness.run.interruption import Interruption
from harness.run.live import View
from harness.run.places import default_out, new_run_id
from harness.run.session import RunRequest, plan_scenario, run_scenario
from harness.rundir import RunDirectory


def fewest_faults(
    request: RunRequest,
    *,
    interruption: Interruption,
    view: Callable[[RunDirectory, Plan], View],
    say: Callable[[str], None],
    at_most: int,
) -> tuple[Fault, ...]:
    """Return the fewest faults of a scenario with which it still fails; each try is a run below one directory.

    Failing is a verdict of `fail`: a run that is invalid or cannot be judged says nothing, and counts as not failing.
    Raises ConfigurationError where the scenario does not fail as it is; what a run raises.
    """
    parent = request.out or default_out(new_run_id(f"shrink-{request.scenario.document.name}"))
    number = 0

    def fails(faults: tuple[Fault, ...]) -> bool:
        nonlocal number
        number += 1
        say(f"run {number}: {', '.join(fault.id for fault in faults)}")
        return _fails(request, faults, parent / f"{number:02d}", interruption, view, say)

    plan = plan_scenario(request)
    if not fails(plan.faults):
        raise ConfigurationError(f"{request.scenario.path}: does not fail with all its faults; there is nothing to shrink")
    return shrink(plan.faults, fails, at_most=at_most - 1)


def _fails(
    request: RunRequest,
    faults: Sequence[Fault],
    out: Path,
    interruption: Interruption,
    view: Callable[[RunDirectory, Plan], View],
    say: Callable[[str], None],
) -> bool:
    only = frozenset(fault.id for fault in faults)
    result = run_scenario(replace(request, out=out, only_faults=only), interruption=interruption, view=view, say=lambda _: None)
    if result.trouble is not None:
        raise result.trouble
    verdict = None if result.verdict is None else result.verdict.verdict
    say(f"  {'nothing could be judged' if verdict is None else verdict.value}")
    return verdict is Status.FAIL
