"""A drill without load: the target starts, every fault is applied and taken away once, the target stops."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.errors import FaultError, StackError
from harness.faults import FaultInjector, Guardian, rehearse
from harness.model.fault import Fault
from harness.model.plan import Plan
from harness.model.target import Needs, RunningTarget, Target
from harness.run.interruption import Interruption
from harness.run.target_lock import sole_run


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What came of a fault. error: why it could not be applied, confirmed, cleared or proved clear; None where it was."""

    fault: Fault
    error: FaultError | None


def dry_run(
    plan: Plan, target: Target, *, interruption: Interruption, state_directory: Path, say: Callable[[str], None]
) -> list[Rehearsal]:
    """Rehearse each fault of a plan once on a target without load, and return what came of each, in the plan's order.

    Raises what the start of the target raises, StackError where it did not survive, InterruptedRunError; whatever
    happens, every fault is cleared and the target is stopped.
    """
    running: RunningTarget | None = None
    guardian: Guardian | None = None
    injector: FaultInjector | None = None
    with sole_run(target), tempfile.TemporaryDirectory(prefix="harness-dry-") as logs:
        try:
            say(f"starting the {plan.target.kind} stack ...")
            needs = Needs(principals=plan.load.principals, capped_principals=plan.capped_principals, seed=plan.seed)
            running = target.start(needs, Path(logs))
            guardian = Guardian.start(state_directory)
            injector = FaultInjector(running.landscape, lambda *_, **__: None, guardian=guardian)
            done = []
            for fault in _once_each(plan):
                say(f"rehearsing {fault.kind} at {fault.at} ...")
                done.append(Rehearsal(fault=fault, error=_rehearse(injector, fault)))
            on_purpose = injector.ended_on_purpose()
            if dead := [each for each in running.died() if each.name not in on_purpose]:
                raise StackError(f"{dead[0].name} died during the rehearsal: {' | '.join(dead[0].last_lines[-3:])}")
            return done
        finally:
            with interruption.shielded():
                if injector is not None:
                    injector.clear_all(within_s=3.5)
                if guardian is not None:
                    guardian.stop()
                if running is not None:
                    running.stop()


def _once_each(plan: Plan) -> list[Fault]:
    """Return the faults without those that are the same thing at another time."""
    first: dict[tuple[str, str, str], Fault] = {}
    for fault in plan.faults:
        first.setdefault((fault.at, fault.kind, repr(sorted(fault.parameters.items()))), fault)
    return list(first.values())


def _rehearse(injector: FaultInjector, fault: Fault) -> FaultError | None:
    try:
        rehearse(injector, [fault])
    except FaultError as error:
        return error
    return None
