"""The middle of a run: every step of the plan at its time, while the target, the load and people's orders are watched."""

import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from functools import partial

from harness.errors import AbortedError, FaultError, HarnessError, StackError
from harness.faults import FaultInjector
from harness.model.fault import Fault
from harness.model.journal import Event
from harness.model.plan import Plan
from harness.run.abort import abort_reason
from harness.run.attending import Attended
from harness.run.live import Live, journal
from harness.run.probing import await_idle
from harness.run.steady import SteadyState, steady_state, steady_stretch
from harness.run.timeline import Step, StepKind, steps_of
from harness.rundir import RunDirectory
from harness.stats import bounds_of_share

TICK_S = 0.02
WATCH_EVERY_S = 0.5
LOAD_GRACE_S = 5.0
REPAIR_WITHIN_S = 30.0
"""How long the last faults may take to be cleared once the load has ended: a process may have to start again."""

_LOOK_BACK_NS = 5_000_000_000
"""How much of the end is looked at once more."""


class Following:
    """One run from its zero to the end of its load."""

    def __init__(self, plan: Plan, run: RunDirectory, live: Live, say: Callable[[str], None]) -> None:
        assert live.clock is not None
        assert live.load is not None
        assert live.injector is not None
        assert live.target is not None
        self._plan, self._run, self._live, self._say = plan, run, live, say
        self._clock, self._load, self._injector, self._target = live.clock, live.load, live.injector, live.target
        self._steps = steps_of(plan)
        self._doing: list[Future[None]] = []
        self._looked = steady_stretch(plan) is None
        self._view_at = 0.0
        attendant = live.attendant
        self._attended = None if attendant is None else Attended(plan, attendant, partial(journal, run), self._seen)

    def follow(self) -> None:
        """Do every step at its time until the load has ended. Raises HarnessError; AbortedError where it must end."""
        bounds_of_share(1, 2)  # loads what the steady state is judged with, so that the first fault does not wait for it
        last_ns = self._plan.end_ns + self._plan.load.drain_ns + round(LOAD_GRACE_S * 1e9)
        ended = False
        while True:
            now_ns = self._now_ns()
            if self._attended is not None:
                self._attended.attend(now_ns)
            while self._steps and self._steps[0].at_ns <= now_ns:
                self._do(self._steps.pop(0))
            self._raise_failed()
            ended = ended or self._load.ended()
            if ended and now_ns >= self._plan.end_ns:
                break
            if now_ns > last_ns:
                raise HarnessError("the load worker did not end in time", advice="look into logs/load-0.log")
            self._watch(now_ns)
            time.sleep(TICK_S)
        while self._steps:  # the last fault may end with the last phase
            self._do(self._steps.pop(0))
        self._wait_for_lanes()
        self._look(max(0, self._plan.end_ns - _LOOK_BACK_NS), self._plan.end_ns, "end")
        self._run.record(Event.LOAD_ENDED)

    def _now_ns(self) -> int:
        return time.monotonic_ns() - self._clock.zero_monotonic_ns

    def _do(self, step: Step) -> None:
        if step.kind is StepKind.PHASE and step.phase is not None:
            self._run.record(Event.PHASE_STARTED, step.phase.name, kind=step.phase.kind.value)
        elif step.probe is not None and self._live.probing is not None:
            self._live.probing.probe(step.probe, step.at_ns)
        elif step.action is not None and self._live.probing is not None:
            self._live.probing.act(step.action)
        elif step.fault is not None and step.kind is StepKind.APPLY:
            self._check_steady()
            if self._attended is not None:
                self._attended.must_go(step.fault)
            self._doing.append(self._live.lanes.do(step.fault.at, partial(self._injector.apply, step.fault)))
        elif step.fault is not None:
            self._live.lanes.do(step.fault.at, partial(_clear, self._injector, step.fault, self._say))

    def _raise_failed(self) -> None:
        """Raise what an apply raised: a run whose fault cannot be applied is over."""
        for future in [each for each in self._doing if each.done()]:
            self._doing.remove(future)
            try:
                future.result()
            except CancelledError:
                continue

    def _wait_for_lanes(self) -> None:
        deadline = time.monotonic() + REPAIR_WITHIN_S
        while self._live.lanes.busy():
            if time.monotonic() > deadline:
                raise FaultError(f"the last fault is still being cleared after {REPAIR_WITHIN_S:.0f} s")
            self._watch(self._now_ns())
            time.sleep(TICK_S)
        self._raise_failed()
        if self._live.probing is not None and not await_idle(
            self._live.probing, within_s=REPAIR_WITHIN_S, watch=lambda: self._watch(self._now_ns())
        ):
            raise HarnessError(f"what the checks send or do has not ended {REPAIR_WITHIN_S:.0f} s after the last phase")

    # -- watching -------------------------------------------------------------------------------------------------------

    def _watch(self, now_ns: int) -> None:
        if (reason := self._live.halt.reason) is not None:
            raise AbortedError(reason)
        if time.monotonic() < self._view_at:
            if self._live.view is not None and self._live.attendant is not None and self._live.attendant.stirred():
                self._live.view.refresh()  # whoever types sees it at once
            return
        self._view_at = time.monotonic() + WATCH_EVERY_S
        self._watch_processes()
        if self._plan.abort_when and (why := abort_reason(self._plan.abort_when, self._run.live_lines(), now_ns)):
            raise AbortedError(why)
        if self._live.view is not None:
            self._live.view.refresh()

    def _watch_processes(self) -> None:
        # Asked before and after: a fault may end a process, or be done with it, while the target looks.
        on_purpose = self._ended_on_purpose()
        dead_now = self._target.died()
        for dead in dead_now:
            if dead.name in on_purpose | self._ended_on_purpose():
                continue
            self._run.record(Event.PROCESS_DIED, dead.name, exit_code=dead.exit_code)
            lines = "".join(f"\n    {line}" for line in dead.last_lines)
            raise StackError(f"{dead.name} died in the middle of the run (exit {dead.exit_code}){lines}")

    def _ended_on_purpose(self) -> frozenset[str]:
        by_check = frozenset[str]() if self._live.probing is None else self._live.probing.ended_on_purpose()
        return frozenset(self._injector.ended_on_purpose()) | by_check

    # -- steady state ---------------------------------------------------------------------------------------------------

    def _check_steady(self) -> None:
        """Before the first fault: raise AbortedError with the figures where the service is not steady."""
        if self._looked:
            return
        self._looked = True
        stretch = steady_stretch(self._plan)
        assert stretch is not None, "looked at once only"
        seen = self._look(*stretch, "before")
        if seen.problems:
            raise AbortedError(
                f"the service was not steady before the first fault ({seen.told}): {'; '.join(seen.problems)}; "
                "no fault was applied",
                advice="mend the service first, give it a longer warm-up, or a load that it can carry "
                "(--set load.arrivals.rate=2/s)",
            )

    def _seen(self, from_ns: int, until_ns: int) -> SteadyState:
        return steady_state(self._plan, self._run.live_lines(), from_ns=from_ns, until_ns=until_ns)

    def _look(self, from_ns: int, until_ns: int, subject: str) -> SteadyState:
        seen = self._seen(from_ns, until_ns)
        figures = {"ended": seen.ended, "bad": seen.bad, "from_ns": seen.from_ns, "until_ns": seen.until_ns}
        told = {"problems": "; ".join(seen.problems)} if seen.problems else {}
        self._run.record(Event.STEADY_CHECKED, subject, steady=not seen.problems, **figures, **told)  # type: ignore[arg-type]
        if subject == "end" and seen.problems:
            self._say(f"WARNING: the service is not steady at the end: {'; '.join(seen.problems)}")
        return seen


def _clear(injector: FaultInjector, fault: Fault, say: Callable[[str], None]) -> None:
    """Clear a fault; the run goes on where that fails, so that what follows is seen. The judge calls it invalid."""
    if not any(each.id == fault.id for each in injector.active()):
        return  # a hand from outside was faster, or it could not be applied: the journal says which
    try:
        injector.clear(fault.id)
    except FaultError as error:
        say(f"WARNING: {error}")
