"""One run from a plan to a closed run directory: start, load, faults by the timeline, truth, stop.

Whatever happens in the middle, faults are cleared first, then the load ends, then what was measured is kept, then the
target stops. Judging comes after and reads the run directory only.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from harness.errors import AbortedError, HarnessError, InterruptedRunError
from harness.faults import FaultInjector, Guardian, rehearse
from harness.model.assignment import Assignment
from harness.model.fault_radius import blast_radius
from harness.model.journal import Event
from harness.model.plan import Clock, Plan
from harness.model.target import Needs, Target, approach_of
from harness.run.attending import Attendant
from harness.run.following import Following
from harness.run.hand import Hand, Owner
from harness.run.interruption import Interruption
from harness.run.live import Live, View, journal, record_anyway
from harness.run.load_process import Gathering, start_load
from harness.run.probing import Probing
from harness.run.scraping import Scraper
from harness.run.truth import collect_calls
from harness.rundir import RunDirectory

__all__ = ["View", "conduct"]

LEAD_S = 0.5
"""From the order to go to the run's zero: time for every worker to hear it."""
IN_PROGRESS_S = 1.0
"""How long work on a fault that has begun may go on before everything is cleared: within five seconds all is healed."""
CLEAR_WITHIN_S = 3.5


def conduct(
    plan: Plan,
    target: Target,
    run: RunDirectory,
    *,
    interruption: Interruption,
    view: Callable[[Plan], View],
    state_directory: Path,
    say: Callable[[str], None],
    rehearsal: bool = True,
    gathering: Gathering | None = None,
    meet: Callable[[], int] | None = None,
    attendant: Attendant | None = None,
) -> Plan:
    """Run a plan on a target and close the run directory; return the plan as it was run.

    attendant: whom to ask before each fault, in a drill.

    Raises HarnessError for our own trouble, AbortedError and InterruptedRunError; the run directory then holds what
    was measured so far, and says that the run was cut short.
    """
    live = Live(attendant=attendant)
    run.write_plan(plan)
    run.record(Event.RUN_STARTED, plan.run_id)
    if attendant is not None:
        run.record(Event.DRILL_ANSWERED, "start", go=True, by=attendant.by)
    try:
        plan = _start(plan, target, run, live, state_directory, say, rehearsal=rehearsal, gathering=gathering, meet=meet)
        live.view = view(plan)
        Following(plan, run, live, say).follow()
        live.complete = True
    except InterruptedRunError as error:
        run.record(Event.INTERRUPTED, signal=error.exit_code - 128)
        raise
    except AbortedError as error:
        run.record(Event.ABORTED, reason=error.message)
        raise
    except HarnessError as error:
        run.record(Event.TROUBLE, reason=error.message)
        raise
    finally:
        with interruption.shielded():
            _take_down(run, live, say)
    interruption.raise_if_signalled()
    return plan


def _start(
    plan: Plan,
    target: Target,
    run: RunDirectory,
    live: Live,
    state_directory: Path,
    say: Callable[[str], None],
    *,
    rehearsal: bool,
    gathering: Gathering | None,
    meet: Callable[[], int] | None,
) -> Plan:
    say(f"starting the {plan.target.kind} stack ...")
    began = time.monotonic()
    needs = Needs(principals=plan.load.principals, capped_principals=plan.capped_principals, made=plan.principals, seed=plan.seed)
    live.target = target.start(needs, run.logs)
    took_s = round(time.monotonic() - began, 2)
    run.record(Event.STACK_READY, seconds=took_s)
    say(f"stack ready in {took_s:.1f} s")
    plan = replace(plan, target=live.target.reference)
    run.write_plan(plan)

    live.guardian = Guardian.start(state_directory)
    live.injector = FaultInjector(live.target.landscape, partial(journal, run), guardian=live.guardian)
    owner = Owner(name=plan.run_id, what=f"run of {plan.scenario.name}", directory=str(run.path.resolve()))
    live.hand = Hand(owner, live.injector, lanes=live.lanes, halt=live.halt.order, record=partial(journal, run))
    live.hand.listen(live.guardian.socket_path)
    if rehearsal and plan.faults:
        say(f"rehearsing {len(plan.faults)} fault(s) ...")
        rehearse(live.injector, plan.faults)
    for line in blast_radius(plan.faults, plan.scenario.blast_radius):
        say(line)

    approach = approach_of(live.target)
    assignment = Assignment(
        run_directory=str(run.path.resolve()),
        base_url=live.target.base_url,
        keys=live.target.keys,
        chat_path=approach.chat_path,
        base_path=approach.base_path,
        auth_header=approach.auth_header,
        auth_value=approach.auth_value,
        model_names=approach.model_names,
        max_in_flight=approach.max_in_flight,
        allowed_hosts=approach.allowed_hosts,
    )
    live.load = start_load(assignment, run.logs, workers=plan.load.workers, gathering=gathering, say=say)
    live.load.wait_ready()
    zero_ns = time.monotonic_ns() + round(LEAD_S * 1e9) if meet is None else meet()
    live.clock = Clock(zero_monotonic_ns=zero_ns, zero_wall_ns=time.time_ns() + zero_ns - time.monotonic_ns())
    plan = replace(plan, clock=live.clock)
    run.write_plan(plan)
    live.probing = Probing(plan, run, live.target, live.clock)
    live.scraper = Scraper(live.target.instances, run, live.clock)
    live.scraper.begin()
    live.load.go(live.clock.zero_monotonic_ns)
    run.record(Event.LOAD_STARTED)
    live.hand.begin()
    return plan


def _take_down(run: RunDirectory, live: Live, say: Callable[[str], None]) -> None:  # noqa: PLR0912 - a branch for each part that may not be up
    """Heal, then stop, then keep; each step happens whatever became of the one before. Never raises."""
    if live.hand is not None:
        live.hand.close()
    if live.probing is not None:
        live.probing.close(within_s=0.0)
    live.lanes.close(within_s=IN_PROGRESS_S)
    if live.injector is not None:
        for failure in live.injector.clear_all(within_s=CLEAR_WITHIN_S):
            say(f"WARNING: a fault could not be proved clear: {failure}")
            record_anyway(run, Event.TROUBLE, f"a fault could not be proved clear: {failure.message}")
    if live.view is not None:
        live.view.close()
    if live.load is not None:
        live.load.stop()
    if live.scraper is not None:
        live.scraper.close()
    control_url = live.target.landscape.provider_control_url if live.target is not None else None
    if control_url is not None and live.clock is not None:
        try:
            collect_calls(run, control_url, live.clock)
        except HarnessError as error:
            live.complete = False
            record_anyway(run, Event.TROUBLE, error.message)
    if live.guardian is not None:
        for failure in live.guardian.stop():
            say(f"WARNING: {failure}")
            record_anyway(run, Event.TROUBLE, failure.message)
    if live.target is not None:
        live.target.stop()
        record_anyway(run, Event.STACK_STOPPED)
    if live.complete:
        record_anyway(run, Event.RUN_ENDED)
