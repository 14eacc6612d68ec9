"""One run from a plan to a closed run directory: start, load, faults by the timeline, truth, stop.

Whatever happens in the middle, faults are cleared first, then the load ends, then what was measured is kept, then the
target stops. Judging comes after and reads the run directory only.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from harness.errors import AbortedError, FaultError, HarnessError, InterruptedRunError, StackError
from harness.faults import FaultInjector, Guardian, rehearse
from harness.model.assignment import Assignment
from harness.model.journal import Event
from harness.model.plan import Clock, Plan
from harness.model.target import Needs, RunningTarget, Target
from harness.run.abort import abort_reason
from harness.run.interruption import Interruption
from harness.run.load_process import LoadProcess
from harness.run.timeline import Step, StepKind, steps_of
from harness.run.truth import collect_calls
from harness.rundir import RunDirectory

LEAD_S = 0.5
"""From the order to go to the run's zero: time for every worker to hear it."""
TICK_S = 0.02
WATCH_EVERY_S = 0.5
LOAD_GRACE_S = 5.0


class View(Protocol):
    """Something that shows a run to people while it is going."""

    def refresh(self) -> None:
        """Show what is new; never raises."""

    def close(self) -> None:
        """Give the terminal back; never raises."""


@dataclass(slots=True, kw_only=True)
class _Live:
    """What is up and must be taken down."""

    target: RunningTarget | None = None
    load: LoadProcess | None = None
    injector: FaultInjector | None = None
    guardian: Guardian | None = None
    view: View | None = None
    clock: Clock | None = None
    complete: bool = False


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
) -> Plan:
    """Run a plan on a target and close the run directory; return the plan as it was run.

    Raises HarnessError for our own trouble, AbortedError and InterruptedRunError; the run directory then holds what
    was measured so far, and says that the run was cut short.
    """
    live = _Live()
    run.write_plan(plan)
    run.record(Event.RUN_STARTED, plan.run_id)
    try:
        plan = _start(plan, target, run, live, state_directory, say, rehearsal=rehearsal)
        live.view = view(plan)
        _follow(plan, run, live, live.view, say)
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
    live: _Live,
    state_directory: Path,
    say: Callable[[str], None],
    *,
    rehearsal: bool,
) -> Plan:
    say(f"starting the {plan.target.kind} stack ...")
    began = time.monotonic()
    needs = Needs(principals=plan.load.principals, capped_principals=plan.capped_principals, seed=plan.seed)
    live.target = target.start(needs, run.logs)
    took_s = round(time.monotonic() - began, 2)
    run.record(Event.STACK_READY, seconds=took_s)
    say(f"stack ready in {took_s:.1f} s")
    plan = replace(plan, target=live.target.reference)
    run.write_plan(plan)

    live.guardian = Guardian.start(state_directory)
    live.injector = FaultInjector(live.target.landscape, partial(_journal, run), guardian=live.guardian)
    if rehearsal and plan.faults:
        say(f"rehearsing {len(plan.faults)} fault(s) ...")
        rehearse(live.injector, plan.faults)

    live.load = LoadProcess(
        Assignment(run_directory=str(run.path.resolve()), base_url=live.target.base_url, keys=live.target.keys),
        run.logs / "load-0.log",
    )
    live.load.wait_ready()
    lead_ns = round(LEAD_S * 1e9)
    live.clock = Clock(zero_monotonic_ns=time.monotonic_ns() + lead_ns, zero_wall_ns=time.time_ns() + lead_ns)
    plan = replace(plan, clock=live.clock)
    run.write_plan(plan)
    live.load.go(live.clock.zero_monotonic_ns)
    run.record(Event.LOAD_STARTED)
    return plan


def _follow(plan: Plan, run: RunDirectory, live: _Live, view: View, say: Callable[[str], None]) -> None:
    """Do every step at its time until the load has ended; watch the target, the load and the abort conditions."""
    assert live.clock is not None
    assert live.load is not None
    steps = steps_of(plan)
    zero_ns = live.clock.zero_monotonic_ns
    last_ns = plan.end_ns + plan.load.drain_ns + round(LOAD_GRACE_S * 1e9)
    next_watch = 0.0
    ended = False
    while True:
        now_ns = time.monotonic_ns() - zero_ns
        while steps and steps[0].at_ns <= now_ns:
            _do(steps.pop(0), run, live, say)
        ended = ended or live.load.ended()
        if ended and now_ns >= plan.end_ns:
            break
        if now_ns > last_ns:
            raise HarnessError("the load worker did not end in time", advice="look into logs/load-0.log")
        if time.monotonic() >= next_watch:
            next_watch = time.monotonic() + WATCH_EVERY_S
            _watch(plan, run, live, now_ns)
            view.refresh()
        time.sleep(TICK_S)
    for step in steps:  # the last fault may end with the last phase
        _do(step, run, live, say)
    run.record(Event.LOAD_ENDED)


def _do(step: Step, run: RunDirectory, live: _Live, say: Callable[[str], None]) -> None:
    assert live.injector is not None
    if step.kind is StepKind.PHASE and step.phase is not None:
        run.record(Event.PHASE_STARTED, step.phase.name, kind=step.phase.kind.value)
    elif step.kind is StepKind.APPLY and step.fault is not None:
        live.injector.apply(step.fault)
    elif step.fault is not None:
        try:
            live.injector.clear(step.fault.id)
        except FaultError as error:  # the run goes on so that what follows is seen; the judge calls it invalid
            say(f"WARNING: {error}")


def _watch(plan: Plan, run: RunDirectory, live: _Live, now_ns: int) -> None:
    assert live.target is not None
    assert live.injector is not None
    on_purpose = live.injector.ended_on_purpose()
    for dead in live.target.died():
        if dead.name in on_purpose:
            continue
        run.record(Event.PROCESS_DIED, dead.name, exit_code=dead.exit_code)
        lines = "".join(f"\n    {line}" for line in dead.last_lines)
        raise StackError(f"{dead.name} died in the middle of the run (exit {dead.exit_code}){lines}")
    if plan.abort_when and (reason := abort_reason(plan.abort_when, run.live_lines(), now_ns)):
        raise AbortedError(reason)


def _take_down(run: RunDirectory, live: _Live, say: Callable[[str], None]) -> None:
    """Heal, then stop, then keep; each step happens whatever became of the one before. Never raises."""
    if live.injector is not None:
        for failure in live.injector.clear_all():
            say(f"WARNING: a fault could not be proved clear: {failure}")
            _note(run, f"a fault could not be proved clear: {failure.message}")
    if live.view is not None:
        live.view.close()
    if live.load is not None:
        live.load.stop()
    control_url = live.target.landscape.provider_control_url if live.target is not None else None
    if control_url is not None and live.clock is not None:
        try:
            collect_calls(run, control_url, live.clock)
        except HarnessError as error:
            live.complete = False
            _note(run, error.message)
    if live.guardian is not None:
        for failure in live.guardian.stop():
            say(f"WARNING: {failure}")
            _note(run, failure.message)
    if live.target is not None:
        live.target.stop()
    if live.complete:
        _record(run, Event.RUN_ENDED)


def _journal(run: RunDirectory, event: Event, subject: str, /, **data: str | float | bool | None) -> None:
    run.record(event, subject, **data)  # type: ignore[arg-type]  # a fault's data never holds at_ns


def _note(run: RunDirectory, reason: str) -> None:
    _record(run, Event.TROUBLE, reason)


def _record(run: RunDirectory, event: Event, reason: str | None = None) -> None:
    """Journal while taking down: a full disk must not keep anything alive."""
    with contextlib.suppress(HarnessError):
        run.record(event) if reason is None else run.record(event, reason=reason)
