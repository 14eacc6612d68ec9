"""What has to happen when: the plan's phases and faults as steps in the order of time."""

import enum
from dataclasses import dataclass

from harness.model.fault import Fault
from harness.model.plan import Phase, Plan


class StepKind(enum.IntEnum):
    """At one moment faults are cleared first, then a phase begins, then its faults are applied."""

    CLEAR = 0
    PHASE = 1
    APPLY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do at `at_ns` from the run's zero."""

    at_ns: int
    kind: StepKind
    fault: Fault | None = None
    phase: Phase | None = None


def steps_of(plan: Plan) -> list[Step]:
    """Return every step of a plan, in the order in which they are to be done.

    Faults that end at the same moment are cleared in the reverse of the order in which they are applied.
    """
    steps = [Step(at_ns=phase.start_ns, kind=StepKind.PHASE, phase=phase) for phase in plan.phases]
    steps += [Step(at_ns=fault.apply_ns, kind=StepKind.APPLY, fault=fault) for fault in plan.faults]
    steps += [Step(at_ns=fault.clear_ns, kind=StepKind.CLEAR, fault=fault) for fault in reversed(plan.faults)]
    return sorted(steps, key=lambda step: (step.at_ns, step.kind))
